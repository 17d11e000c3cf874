import type { Bytes } from '../../../config/units.js';
import type { WillisError } from '../../../proxy/base/errors.js';
import type { Body } from '../../../proxy/http/body.js';
import type { Fields } from '../../../proxy/http/fields.js';

/** A body that breaks when more has come than it may have. It owns its source. */
export class BoundedBody implements Body {
  readonly #source: Body;
  readonly #tooLong: () => WillisError;
  #left: number;

  constructor(source: Body, most: Bytes, tooLong: () => WillisError) {
    this.#source = source;
    this.#left = most;
    this.#tooLong = tooLong;
  }

  get length(): Bytes | null {
    return this.#source.length;
  }

  get trailers(): Fields {
    return this.#source.trailers;
  }

  read(): Buffer | null | Promise<Buffer | null> {
    const chunk = this.#source.read();
    return chunk instanceof Promise ? chunk.then((come) => this.#counted(come)) : this.#counted(chunk);
  }

  cancel(reason?: Error): void {
    this.#source.cancel(reason);
  }

  #counted(chunk: Buffer | null): Buffer | null {
    this.#left -= chunk?.length ?? 0;
    if (this.#left >= 0) return chunk;
    const error = this.#tooLong();
    this.#source.cancel(error);
    throw error;
  }
}
