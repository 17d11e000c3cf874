import { bytes, type Bytes } from '../../config/units.js';
import type { Body } from '../http/body.js';
import type { Fields } from '../http/fields.js';

/** What readers read from. */
export interface ReadSource {
  readonly trailers: Fields;
  /**
   * What is there at a position; 'wait' if it has not come yet; null at the end; 'stored' if it is to be had from the store
   * only, by `rest`. @throws what the transfer failed with
   */
  take(position: number): Buffer | null | 'wait' | 'stored';
  /** What is stored of the bytes from ≤ position < to (Infinity: to the end). */
  rest(from: Bytes, to: Bytes): Body;
  /** A reader has gone on. */
  advanced(): void;
  /** A reader wants no more. Idempotent. */
  leave(reader: FillReader): void;
}

/** One reader of a transfer that others may read too. */
export class FillReader implements Body {
  #position: number;
  #waiting: {
    resolve: (chunk: Buffer | null | Promise<Buffer | null>) => void;
    reject: (error: Error) => void;
  } | null = null;
  #done = false;
  /** Where the rest comes from, once it has to come from the store. */
  #rest: Body | null = null;

  constructor(
    private readonly fill: ReadSource,
    from: number,
    private readonly to: number,
    readonly length: Bytes | null,
  ) {
    this.#position = from;
  }

  get position(): number {
    return this.#position;
  }

  get trailers(): Fields {
    return this.fill.trailers;
  }

  read(): Buffer | null | Promise<Buffer | null> {
    if (this.#rest !== null) return this.#rest.read();
    const chunk = this.#take();
    if (chunk === 'stored') return this.#goOver();
    if (chunk !== 'wait') return chunk;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  cancel(): void {
    if (this.#done) return;
    this.#done = true;
    this.fill.leave(this);
    this.#rest?.cancel();
    this.#waiting?.resolve(null);
    this.#waiting = null;
  }

  /** More has come, or the end, or a failure. */
  wake(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    try {
      const chunk = this.#take();
      if (chunk === 'wait') return;
      this.#waiting = null;
      waiting.resolve(chunk === 'stored' ? this.#goOver() : chunk);
    } catch (error) {
      this.#waiting = null;
      waiting.reject(error as Error);
    }
  }

  #goOver(): Buffer | null | Promise<Buffer | null> {
    const rest = this.fill.rest(bytes(this.#position), bytes(this.to));
    this.#rest = rest;
    this.fill.leave(this);
    return rest.read();
  }

  #take(): Buffer | null | 'wait' | 'stored' {
    if (this.#done || this.#position >= this.to) return this.#finish();
    const chunk = this.fill.take(this.#position);
    if (chunk === 'wait' || chunk === 'stored') return chunk;
    if (chunk === null) return this.#finish();
    const part = this.#position + chunk.length > this.to ? chunk.subarray(0, this.to - this.#position) : chunk;
    this.#position += part.length;
    this.fill.advanced();
    return part;
  }

  #finish(): null {
    if (!this.#done) {
      this.#done = true;
      this.fill.leave(this);
    }
    return null;
  }
}
