import { bytes, type Bytes } from '../../config/units.js';

const NOTHING = Buffer.alloc(0);
const SMALLEST_ROOM = 1024;

/**
 * Bytes received and not yet consumed. Positions are counted from the first such byte. What `take` gives stays valid and
 * is never written to again: bytes are only ever added behind it, or elsewhere.
 */
export class InputBuffer {
  #data: Buffer = NOTHING;
  #start = 0;
  #end = 0;
  /** Whether `#data` was allocated here, so that there may be room behind `#end`. */
  #own = false;
  #taken = 0;

  get length(): Bytes {
    return bytes(this.#end - this.#start);
  }

  /** Bytes consumed since the beginning. */
  get taken(): Bytes {
    return bytes(this.#taken);
  }

  /** Adds received bytes; they are kept as they are if nothing else is waiting, otherwise copied. */
  append(chunk: Buffer): void {
    const held = this.#end - this.#start;
    if (held === 0) {
      this.#data = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#own = false;
      return;
    }
    if (!this.#own || this.#data.length - this.#end < chunk.length) this.#move(held, held + chunk.length);
    chunk.copy(this.#data, this.#end);
    this.#end += chunk.length;
  }

  /** The byte at a position, or -1 behind the last one. */
  at(position: number): number {
    const index = this.#start + position;
    return index < this.#end ? (this.#data[index] as number) : -1;
  }

  /** The position of the first occurrence at or behind `from`, or -1. */
  indexOf(wanted: Buffer | number, from: number): number {
    const found = this.#data.indexOf(wanted, this.#start + from);
    const length = typeof wanted === 'number' ? 1 : wanted.length;
    // behind the end there may be anything
    return found < 0 || found + length > this.#end ? -1 : found - this.#start;
  }

  /** The first bytes as Latin-1 text, still held. */
  text(length: Bytes): string {
    return this.#data.toString('latin1', this.#start, this.#start + length);
  }

  /** Consumes that many bytes, at most all of them; not a copy. */
  take(length: Bytes): Buffer {
    const from = this.#start;
    this.skip(length);
    return this.#data.subarray(from, this.#start);
  }

  /** Consumes that many bytes unseen, at most all of them. */
  skip(length: Bytes): void {
    const count = Math.min(length, this.#end - this.#start);
    this.#start += count;
    this.#taken += count;
  }

  /** Doubling the room keeps the cost of many small pieces in proportion to their sum. */
  #move(held: number, needed: number): void {
    const data = Buffer.allocUnsafeSlow(Math.max(SMALLEST_ROOM, needed + held));
    this.#data.copy(data, 0, this.#start, this.#end);
    this.#data = data;
    this.#start = 0;
    this.#end = held;
    this.#own = true;
  }
}
