import { bytes, type Bytes } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import type { Body } from '../http/body.js';
import { Fields } from '../http/fields.js';

/** How a body acts on the connection that it comes from. */
export interface BodySource {
  /** Enough is waiting to be read: the origin server is to be held back. */
  hold(): void;
  release(): void;
  /** The reader has given up. */
  cancel(reason: Error): void;
}

/** Bytes that may wait for the reader before the origin server is held back. */
const highWaterMark: Bytes = bytes(262144);

/** A body that is pushed into one end by a connection and pulled out of the other by its reader. */
export class ReceivedBody implements Body {
  readonly length: Bytes | null;
  trailers = Fields.none;
  readonly #source: BodySource;
  #chunks: Buffer[] = [];
  #waiting = 0;
  #total = 0;
  #held = false;
  #state: 'open' | 'ended' | 'failed' | 'cancelled' = 'open';
  #error: Error | undefined;
  #reader: { resolve: (chunk: Buffer | null) => void; reject: (error: Error) => void } | undefined;

  constructor(length: Bytes | null, source: BodySource) {
    this.length = length;
    this.#source = source;
  }

  append(chunk: Buffer): void {
    if (this.#state !== 'open' || chunk.length === 0) return;
    this.#total += chunk.length;
    const reader = this.#takeReader();
    if (reader !== undefined) {
      reader.resolve(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    if (this.#waiting >= highWaterMark && !this.#held) {
      this.#held = true;
      this.#source.hold();
    }
  }

  /** All has come. A total other than the announced length makes it a failure. */
  end(trailers: Fields): void {
    if (this.#state !== 'open') return;
    if (this.length !== null && this.#total !== this.length) {
      this.fail(new WillisError('upstream-incomplete', `${this.#total} of ${this.length} bytes came`));
      return;
    }
    this.#state = 'ended';
    this.trailers = trailers;
    this.#takeReader()?.resolve(null);
  }

  /** What has come before the failure can still be read. */
  fail(error: Error): void {
    if (this.#state !== 'open') return;
    this.#state = 'failed';
    this.#error = error;
    this.#takeReader()?.reject(error);
  }

  read(): Buffer | null | Promise<Buffer | null> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#waiting -= chunk.length;
      if (this.#held && this.#waiting <= highWaterMark / 2) {
        this.#held = false;
        this.#source.release();
      }
      return chunk;
    }
    if (this.#state === 'ended') return null;
    if (this.#error !== undefined) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => (this.#reader = { resolve, reject }));
  }

  cancel(reason?: Error): void {
    if (this.#state === 'cancelled') return;
    const open = this.#state === 'open';
    this.#state = 'cancelled';
    this.#chunks = [];
    this.#waiting = 0;
    this.#error = reason ?? new WillisError('client-gone', 'the reader of the body gave up');
    this.#takeReader()?.reject(this.#error);
    if (open) this.#source.cancel(this.#error);
  }

  #takeReader(): { resolve: (chunk: Buffer | null) => void; reject: (error: Error) => void } | undefined {
    const reader = this.#reader;
    this.#reader = undefined;
    return reader;
  }
}
