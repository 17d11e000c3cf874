import { bytes, type Bytes } from '../../config/units.js';
import { PreparedDocument } from '../documents/prepared-document.js';
import type { SignedHead } from '../trust/head.js';
import type { ProvenDocument } from '../trust/proof-answer.js';

/** What is proven of a URI, with whatever can be made ready of its answers. */
export class KnownDocument {
  readonly proven: ProvenDocument;
  #prepared: PreparedDocument | null = null;

  constructor(proven: ProvenDocument) {
    this.proven = proven;
  }

  /** The same under another head with the same root. */
  under({ head, jws }: SignedHead): KnownDocument {
    const renewed = new KnownDocument({ ...this.proven, head, jws });
    renewed.#prepared = this.#prepared;
    return renewed;
  }

  /** What answers; null for a URI that has nothing, in a namespace that says nothing of that. */
  get prepared(): PreparedDocument | null {
    const { record } = this.proven;
    if (record === null) return null;
    return (this.#prepared ??= new PreparedDocument(record));
  }

  get footprint(): Bytes {
    const { record, blockLists } = this.proven;
    let total = perDocument + (this.prepared?.footprint ?? 0);
    for (const list of blockLists.values()) total += list.length;
    for (const [name, value] of record?.fields ?? []) total += 2 * (name.length + value.length);
    return bytes(total + perVariant * (record?.variants.length ?? 0));
  }
}

const perDocument = 1000;
const perVariant = 600;
