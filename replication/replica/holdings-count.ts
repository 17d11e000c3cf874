import { bytes, type Bytes } from '../../config/units.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { BlobStore } from '../blob-store.js';

/** How much there is of what belongs here. What several documents have counts for each of them. */
export interface Holdings {
  readonly documents: number;
  /** Contents that are here. */
  readonly bytes: Bytes;
  /** Contents that belong here. */
  readonly totalBytes: Bytes;
}

/** A content that is not here, and how many documents have it. */
interface Lacking {
  readonly length: Bytes;
  documents: number;
}

/** So many contents are looked for each time somebody asks: some may have come for visitors, of which nobody tells. */
const lookedFor = 2048;

/** Counts what belongs to a replica and what of it is here, change by change. */
export class HoldingsCount {
  readonly #blobs: Pick<BlobStore, 'has'>;
  readonly #lacking = new Map<Digest, Lacking>();
  #looking: Iterator<Digest> | null = null;
  #documents = 0;
  #total = 0;
  #lackingBytes = 0;

  constructor(blobs: Pick<BlobStore, 'has'>) {
    this.#blobs = blobs;
  }

  get current(): Holdings {
    this.#look();
    const [documents, total] = [this.#documents, this.#total];
    return { documents, bytes: bytes(total - this.#lackingBytes), totalBytes: bytes(total) };
  }

  /** There is a document. @param contents those of it that belong here */
  add(contents: Iterable<Variant>): void {
    this.#documents++;
    for (const { digest, length } of contents) {
      this.#total += length;
      if (this.#blobs.has(digest)) this.came(digest);
      else this.#lack(digest, length);
    }
  }

  /** The opposite: it is gone, or another one has taken its place. */
  remove(contents: Iterable<Variant>): void {
    this.#documents--;
    for (const { digest, length } of contents) {
      this.#total -= length;
      const lacking = this.#lacking.get(digest);
      if (lacking === undefined) continue;
      this.#lackingBytes -= length;
      if (--lacking.documents === 0) this.#lacking.delete(digest);
    }
  }

  /** A content is here. */
  came(digest: Digest): void {
    const lacking = this.#lacking.get(digest);
    if (lacking === undefined) return;
    this.#lacking.delete(digest);
    this.#lackingBytes -= lacking.documents * lacking.length;
  }

  /** A content that belongs here has been lost. */
  lost({ digest, length }: Pick<Variant, 'digest' | 'length'>): void {
    if (!this.#lacking.has(digest)) this.#lack(digest, length);
  }

  #lack(digest: Digest, length: Bytes): void {
    const lacking = this.#lacking.get(digest) ?? { length, documents: 0 };
    lacking.documents++;
    this.#lacking.set(digest, lacking);
    this.#lackingBytes += length;
  }

  #look(): void {
    for (let looked = 0; looked < lookedFor && this.#lacking.size > 0; looked++) {
      this.#looking ??= this.#lacking.keys();
      const next = this.#looking.next();
      if (next.done === true) {
        this.#looking = null;
        return;
      }
      if (this.#blobs.has(next.value)) this.came(next.value);
    }
  }
}
