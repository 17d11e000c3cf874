import { bytes, elapsedMonotonic, type Bytes, type Milliseconds, type MonotonicMs } from '../config/units.js';
import type { Digest } from '../wlis/trust/digest.js';

interface Blob {
  readonly length: Bytes;
  references: number;
}

/**
 * Which blobs there are, and which of them somebody refers to. What nobody refers to any more is given up only some time
 * later: others may be in the middle of pulling it.
 */
export class BlobReferences {
  readonly #blobs = new Map<Digest, Blob>();
  /** Since when nobody has referred to it; the longest first. */
  readonly #idle = new Map<Digest, MonotonicMs>();
  #total = 0;

  get total(): Bytes {
    return bytes(this.#total);
  }

  get count(): number {
    return this.#blobs.size;
  }

  has(digest: Digest): boolean {
    return this.#blobs.has(digest);
  }

  lengthOf(digest: Digest): Bytes | undefined {
    return this.#blobs.get(digest)?.length;
  }

  digests(): IterableIterator<Digest> {
    return this.#blobs.keys();
  }

  /** It is there, or has been asked to be there again; nobody refers to it yet. */
  touch(digest: Digest, length: Bytes, now: MonotonicMs): void {
    const blob = this.#blobs.get(digest);
    if (blob !== undefined && blob.references > 0) return;
    if (blob === undefined) {
      this.#blobs.set(digest, { length, references: 0 });
      this.#total += length;
    }
    this.#idle.delete(digest);
    this.#idle.set(digest, now);
  }

  /** False if there is no such blob. */
  retain(digest: Digest): boolean {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) return false;
    blob.references++;
    this.#idle.delete(digest);
    return true;
  }

  /** The opposite of one `retain`. */
  release(digest: Digest, now: MonotonicMs): void {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) return;
    if (blob.references === 0) throw new RangeError(`blob ${digest} is released more often than it was retained`);
    if (--blob.references === 0) this.#idle.set(digest, now);
  }

  /** The blob that nobody has referred to for the longest time, if that is at least so long. */
  longestIdle(now: MonotonicMs, atLeast: Milliseconds): Digest | null {
    for (const [digest, since] of this.#idle) return elapsedMonotonic(since, now) >= atLeast ? digest : null;
    return null;
  }

  forget(digest: Digest): void {
    this.#total -= this.#blobs.get(digest)?.length ?? 0;
    this.#blobs.delete(digest);
    this.#idle.delete(digest);
  }
}
