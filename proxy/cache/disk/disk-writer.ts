import { bytes, type Bytes } from '../../../config/units.js';
import { Fields } from '../../http/fields.js';
import { BodyAssembly } from '../body-assembly.js';
import type { ResponseWriter } from '../response-store.js';
import { blockDigest } from './block-digest.js';
import { linesSize } from './disk-footprint.js';
import type { DiskResponse } from './disk-response.js';
import { blockSizeFor } from './segment-format.js';
import type { SegmentWriter } from './segment-writer.js';
import { fileSize, inlineSize, type Segment } from './segment.js';

/** What a transfer has brought. */
export interface Written {
  /** Null: no bytes. */
  readonly segment: Segment | null;
  /** The bytes of a segment that goes into the index. */
  readonly inline: Buffer | null;
  readonly from: Bytes;
  readonly received: Bytes;
  /** Whether it came to its end. */
  readonly ended: boolean;
  readonly trailers: Fields;
  /** To be called in the moment in which it is stored: what it takes counts as stored from then on. */
  readonly onStored: () => void;
}

/** What a writer needs of its store. */
export interface WriterAccount {
  reserve(size: Bytes): boolean | Promise<boolean>;
  release(size: Bytes): void;
  newName(): string;
  openSegment(id: string, from: Bytes, blockSize: Bytes, expected: Bytes | null): SegmentWriter;
  /** Makes it visible; null if it is not taken after all, or could not be. Never rejects. */
  keep(written: Written): Promise<DiskResponse | null>;
  /** The disk did not do what it should. */
  failed(error: unknown): void;
  /** The writer has come to its end. */
  over(): void;
}

export interface WriterPlace {
  readonly from: Bytes;
  readonly length: Bytes | null;
  /** What the head of the response counts. */
  readonly headSize: Bytes;
  /** How many bytes this transfer may bring. */
  readonly limit: Bytes;
  /** Up to how many of them go into the index. */
  readonly inline: Bytes;
}

/** Writes one response to disk: what is short into the index at the end, what is longer into a file as it comes. */
export class DiskWriter implements ResponseWriter {
  readonly #account: WriterAccount;
  readonly #place: WriterPlace;
  #assembly: BodyAssembly | null;
  #file: SegmentWriter | null = null;
  #received = 0;
  #reserved = 0;
  #ended = false;
  /** The append that is under way. */
  #appending: Promise<boolean> | null = null;
  #finishing: Promise<DiskResponse | null> | null = null;
  #discarding: Promise<void> | null = null;

  constructor(account: WriterAccount, place: WriterPlace) {
    this.#account = account;
    this.#place = place;
    this.#assembly = new BodyAssembly(this.#expected);
  }

  append(chunk: Buffer): boolean | Promise<boolean> {
    if (this.#ended) return false;
    if (chunk.length === 0) return true;
    if (this.#received + chunk.length > this.#place.limit) return this.#giveUp();
    const room = this.#reserveFor(this.#received + chunk.length);
    if (room === false) return this.#giveUp();
    const taken = room === true ? this.#take(chunk) : room.then((has) => (has ? this.#take(chunk) : this.#giveUp()));
    if (!(taken instanceof Promise)) return taken;
    const appending = taken.catch((error: unknown) => this.#fail(error));
    this.#appending = appending;
    return appending;
  }

  commit(trailers: Fields): Promise<DiskResponse | null> {
    return this.#finish(trailers, true);
  }

  /** A writer that is being ended already is left to that: its store is closed meanwhile. */
  async abandon(keep: boolean): Promise<DiskResponse | null> {
    if (this.#finishing !== null) {
      await this.#finishing;
      return null;
    }
    if (keep && this.#received > 0) return this.#finish(Fields.none, false);
    this.#ended = true;
    await this.#appending;
    await this.#discard();
    return null;
  }

  get #expected(): Bytes | null {
    const { from, length } = this.#place;
    return length === null ? null : bytes(Math.max(0, length - from));
  }

  #take(chunk: Buffer): boolean | Promise<boolean> {
    if (this.#ended) return false;
    this.#received += chunk.length;
    const adding = this.#add(chunk);
    return adding === null ? true : adding.then(() => !this.#ended);
  }

  #add(chunk: Buffer): Promise<void> | null {
    const assembly = this.#assembly;
    if (assembly === null) return (this.#file as SegmentWriter).add(chunk);
    const known = this.#expected ?? this.#received;
    if (Math.max(known, this.#received) <= this.#place.inline) {
      assembly.add(chunk);
      return null;
    }
    this.#assembly = null;
    const { from } = this.#place;
    const file = this.#account.openSegment(this.#account.newName(), from, this.#blockSize, this.#expected);
    this.#file = file;
    // these are few, far from what one has to wait for
    for (const block of assembly.finish()) void file.add(block);
    return file.add(chunk);
  }

  get #blockSize(): Bytes {
    return blockSizeFor(this.#expected);
  }

  /** Reserves what so many bytes will take in all, beyond what is reserved already. */
  #reserveFor(received: number, more = 0): boolean | Promise<boolean> {
    const { headSize, inline } = this.#place;
    const isInline = this.#assembly !== null && Math.max(received, this.#expected ?? 0) <= inline;
    const offset = this.#file?.offset ?? bytes(headSize + 1024);
    const content = isInline ? inlineSize(bytes(received)) : fileSize(offset, bytes(received), this.#blockSize);
    const missing = headSize + more + content - this.#reserved;
    if (missing <= 0) return true;
    const room = this.#account.reserve(bytes(missing));
    const count = (has: boolean): boolean => {
      if (has) this.#reserved += missing;
      return has;
    };
    return room instanceof Promise ? room.then(count) : count(room);
  }

  async #finish(trailers: Fields, isEnd: boolean): Promise<DiskResponse | null> {
    if (this.#ended) {
      await this.#discard();
      return null;
    }
    this.#ended = true;
    this.#finishing = this.#store(trailers, isEnd);
    return this.#finishing;
  }

  async #store(trailers: Fields, isEnd: boolean): Promise<DiskResponse | null> {
    await this.#appending;
    try {
      if (!(await this.#reserveFor(this.#received, linesSize(trailers)))) return null;
      const { segment, inline } = await this.#segment(isEnd);
      const { from } = this.#place;
      const onStored = (): void => this.#release();
      const received = bytes(this.#received);
      return await this.#account.keep({ segment, inline, from, received, ended: isEnd, trailers, onStored });
    } catch (error) {
      this.#account.failed(error);
      return null;
    } finally {
      await this.#discard();
    }
  }

  async #segment(ended: boolean): Promise<{ segment: Segment | null; inline: Buffer | null }> {
    const file = this.#file;
    if (file !== null) {
      const segment = await file.finish(ended);
      this.#file = null;
      return { segment, inline: null };
    }
    const chunks = this.#assembly?.finish() ?? [];
    const inline = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    if (inline.length === 0) return { segment: null, inline: null };
    const digest = (await blockDigest(inline)).toString('base64');
    const length = bytes(inline.length);
    const place = { from: this.#place.from, length, blockSize: length, offset: bytes(0) };
    return { segment: { id: this.#account.newName(), inline: true, ...place, digest }, inline };
  }

  #giveUp(): false {
    if (this.#ended) return false;
    this.#ended = true;
    void this.#discard();
    return false;
  }

  #fail(error: unknown): false {
    this.#account.failed(error);
    return this.#giveUp();
  }

  /** Deletes what was written and is not kept. Idempotent. */
  #discard(): Promise<void> {
    return (this.#discarding ??= this.#discardFile());
  }

  async #discardFile(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    this.#assembly = null;
    try {
      await file?.discard();
    } catch (error) {
      this.#account.failed(error);
    }
    this.#release();
    this.#account.over();
  }

  #release(): void {
    this.#account.release(bytes(this.#reserved));
    this.#reserved = 0;
  }
}
