import { bytes, type Bytes } from '../../config/units.js';

/** A body up to this long ends in one buffer, and small chunks of a longer one are gathered into blocks of this size. */
const blockSize = 64 * 1024;
/** Chunks from this size on are kept as they are, unless they pin much more memory than they show. */
const keptAsIs = 16 * 1024;

/**
 * Gathers the chunks of one body, as the network cut them, into few blocks that hold hardly more memory than the body
 * is long. A chunk is a view of a receive buffer; keeping the view keeps the whole buffer, and a body that comes byte by
 * byte would keep thousands of them. So large chunks stay as they are and all else is copied, once.
 */
export class BodyAssembly {
  readonly #blocks: Buffer[] = [];
  readonly #expected: Bytes | null;
  #length = 0;
  /** The block that small chunks are copied into, and how much of it is filled. */
  #tail: Buffer | null = null;
  #filled = 0;

  /** @param expected length of the body, if it is known: then a small one is copied to its final place at once */
  constructor(expected: Bytes | null) {
    this.#expected = expected;
  }

  get length(): Bytes {
    return bytes(this.#length);
  }

  /** How much more memory is held after `add(chunk)`, at most. */
  growth(chunk: Buffer): Bytes {
    if (isKept(chunk)) return bytes(chunk.length);
    const capacity = this.#tail?.length ?? 0;
    if (this.#filled + chunk.length <= capacity) return bytes(0);
    return bytes(this.#fitsOneBlock(chunk) ? this.#nextCapacity(chunk) - capacity : chunk.length);
  }

  add(chunk: Buffer): void {
    if (isKept(chunk)) {
      this.#closeTail();
      this.#blocks.push(chunk);
    } else {
      this.#makeRoom(chunk);
      (this.#tail as Buffer).set(chunk, this.#filled);
      this.#filled += chunk.length;
    }
    this.#length += chunk.length;
  }

  /** All that was added, in order; nothing may be added any more. */
  finish(): Buffer[] {
    this.#closeTail();
    const [first] = this.#blocks;
    if (first === undefined) return [];
    // a list that grew by pushing has room for sixteen more: a quarter of what a small response takes
    if (this.#blocks.length === 1 && (isExact(first) || this.#length > blockSize)) return [first];
    return this.#length > blockSize ? this.#blocks.slice() : [exactCopy(this.#blocks, this.#length)];
  }

  #makeRoom(chunk: Buffer): void {
    if (this.#tail !== null && this.#filled + chunk.length <= this.#tail.length) return;
    if (this.#fitsOneBlock(chunk)) {
      const grown = Buffer.allocUnsafeSlow(this.#nextCapacity(chunk));
      if (this.#tail !== null) grown.set(this.#tail.subarray(0, this.#filled));
      this.#tail = grown;
    } else {
      this.#closeTail();
      this.#tail = Buffer.allocUnsafeSlow(chunk.length);
    }
  }

  #fitsOneBlock(chunk: Buffer): boolean {
    return this.#filled + chunk.length <= blockSize;
  }

  /** Exact for a body that comes in one chunk, then doubling; the rest of a body of known length once half is there. */
  #nextCapacity(chunk: Buffer): number {
    const needed = this.#filled + chunk.length;
    const rest = this.#expected === null ? null : this.#filled + this.#expected - this.#length;
    if (rest !== null && rest >= needed && rest <= Math.min(blockSize, needed * 2)) return rest;
    return this.#tail === null ? needed : Math.min(blockSize, Math.max(needed, this.#tail.length * 2));
  }

  #closeTail(): void {
    if (this.#tail !== null) {
      const isFull = this.#filled === this.#tail.length;
      this.#blocks.push(isFull ? this.#tail : exactCopy([this.#tail.subarray(0, this.#filled)], this.#filled));
    }
    this.#tail = null;
    this.#filled = 0;
  }
}

/** Whether a chunk is kept as it is: large, and no small window on a much larger buffer. */
const isKept = (chunk: Buffer): boolean => chunk.length >= keptAsIs && chunk.length * 2 >= chunk.buffer.byteLength;

const isExact = (chunk: Buffer): boolean => chunk.length === chunk.buffer.byteLength;

function exactCopy(chunks: readonly Buffer[], length: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
