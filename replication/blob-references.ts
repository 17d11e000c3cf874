import { bytes, elapsedMonotonic, type Bytes, type Milliseconds, type MonotonicMs } from '../config/units.js';
import type { Digest } from '../wlis/trust/digest.js';

interface Blob {
  /** Null for one that is referred to and not there. */
  length: Bytes | null;
  references: number;
}

/**
 * Which blobs there are, and which of them somebody refers to. What nobody refers to any more is given up only some time
 * later: others may be in the middle of pulling it. What is not there can be referred to as well, and is held when it comes.
 */
export class BlobReferences {
  readonly #blobs = new Map<Digest, Blob>();
  /** Those that are there, since when nobody has referred to them; the longest first. */
  readonly #idle = new Map<Digest, MonotonicMs>();
  #total = 0;
  #count = 0;

  get total(): Bytes {
    return bytes(this.#total);
  }

  get count(): number {
    return this.#count;
  }

  has(digest: Digest): boolean {
    return this.lengthOf(digest) !== undefined;
  }

  lengthOf(digest: Digest): Bytes | undefined {
    return this.#blobs.get(digest)?.length ?? undefined;
  }

  /** Whether somebody refers to it, be it there or not. */
  isReferredTo(digest: Digest): boolean {
    return (this.#blobs.get(digest)?.references ?? 0) > 0;
  }

  /** Of those that are there. */
  *digests(): Generator<Digest> {
    for (const [digest, { length }] of this.#blobs) if (length !== null) yield digest;
  }

  /** It is there, or has been asked to be there again. */
  touch(digest: Digest, length: Bytes, now: MonotonicMs): void {
    const blob = this.#blobs.get(digest) ?? { length: null, references: 0 };
    this.#blobs.set(digest, blob);
    if (blob.length === null) {
      blob.length = length;
      this.#total += length;
      this.#count++;
    }
    if (blob.references > 0) return;
    this.#idle.delete(digest);
    this.#idle.set(digest, now);
  }

  /** Gives whether it is there. */
  retain(digest: Digest): boolean {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) {
      this.#blobs.set(digest, { length: null, references: 1 });
      return false;
    }
    blob.references++;
    this.#idle.delete(digest);
    return blob.length !== null;
  }

  /** The opposite of one `retain`. */
  release(digest: Digest, now: MonotonicMs): void {
    const blob = this.#blobs.get(digest);
    if (blob === undefined || blob.references === 0) {
      throw new RangeError(`blob ${digest} is released more often than it was retained`);
    }
    if (--blob.references > 0) return;
    if (blob.length === null) this.#blobs.delete(digest);
    else this.#idle.set(digest, now);
  }

  /** The blob that nobody has referred to for the longest time, if that is at least so long. */
  longestIdle(now: MonotonicMs, atLeast: Milliseconds): Digest | null {
    for (const [digest, since] of this.#idle) return elapsedMonotonic(since, now) >= atLeast ? digest : null;
    return null;
  }

  /** It is not there any more. */
  forget(digest: Digest): void {
    const blob = this.#blobs.get(digest);
    if (blob === undefined || blob.length === null) return;
    this.#total -= blob.length;
    this.#count--;
    blob.length = null;
    if (blob.references === 0) this.#blobs.delete(digest);
    this.#idle.delete(digest);
  }
}
