import { bytes, type Bytes } from '../../config/units.js';
import { Fields } from '../http/fields.js';
import { BodyAssembly } from './body-assembly.js';
import type { MemoryContent, MemoryResponse } from './memory-response.js';
import type { ResponseWriter } from './response-store.js';
import type { SparseBody } from './sparse-body.js';

/** What a writer needs of its store. */
export interface WriterAccount {
  /** Counts bytes that are being written against the limit; false if there is no room. */
  reserve(size: Bytes): boolean;
  release(size: Bytes): void;
  /** Makes what was written visible; null if it is not taken after all. */
  store(content: Omit<MemoryContent, 'id' | 'generation' | 'invalidated'>): MemoryResponse | null;
}

export interface WriterPlace {
  readonly from: Bytes;
  /** Length of the whole representation, as far as it is known. */
  readonly length: Bytes | null;
  /** What is held already and is added to. */
  readonly base: SparseBody;
  /** How many bytes may be held in the end. */
  readonly limit: Bytes;
  /** Reserved for the fields already. */
  readonly reserved: Bytes;
}

/** Writes one response into memory. Its bytes count from the moment they come. */
export class MemoryWriter implements ResponseWriter {
  readonly keepsBuffers = true;
  readonly #account: WriterAccount;
  readonly #place: WriterPlace;
  #assembly: BodyAssembly | null;
  #reserved: number;

  constructor(account: WriterAccount, place: WriterPlace) {
    this.#account = account;
    this.#place = place;
    this.#assembly = new BodyAssembly(place.length === null ? null : bytes(place.length - place.from));
    this.#reserved = place.reserved;
  }

  append(chunk: Buffer): boolean {
    const assembly = this.#assembly;
    if (assembly === null) return false;
    if (chunk.length === 0) return true;
    const growth = assembly.growth(chunk);
    if (!this.#mayHold(assembly.length + chunk.length) || !this.#account.reserve(growth)) {
      this.#end();
      return false;
    }
    this.#reserved += growth;
    assembly.add(chunk);
    return true;
  }

  commit(trailers: Fields): MemoryResponse | null {
    const assembly = this.#end();
    if (assembly === null) return null;
    const { from, base } = this.#place;
    const here = from + assembly.length;
    const isEnd = (base.held.at(-1)?.to ?? 0) <= here;
    return this.#store(assembly, this.#place.length ?? (isEnd ? bytes(here) : null), trailers);
  }

  abandon(keep: boolean): MemoryResponse | null {
    const assembly = this.#end();
    if (assembly === null || !keep || assembly.length === 0) return null;
    return this.#store(assembly, this.#place.length, Fields.none);
  }

  /** Whether so many bytes of this transfer neither exceed what the store takes nor the length they were announced with. */
  #mayHold(received: number): boolean {
    const { from, length, base, limit } = this.#place;
    return length === null ? base.size + received <= limit : from + received <= length;
  }

  #store(assembly: BodyAssembly, length: Bytes | null, trailers: Fields): MemoryResponse | null {
    const body = this.#place.base.extendedBy(this.#place.from, assembly.finish());
    const isComplete = length !== null && body.isWhole(length);
    if (!isComplete && body.held.length === 0) return null;
    return this.#account.store({ body, length, trailers: isComplete ? trailers : Fields.none });
  }

  #end(): BodyAssembly | null {
    const assembly = this.#assembly;
    this.#assembly = null;
    this.#account.release(bytes(this.#reserved));
    this.#reserved = 0;
    return assembly;
  }
}
