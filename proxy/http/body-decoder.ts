import { bytes, type Bytes } from '../../config/units.js';
import { Fields } from './fields.js';
import type { InputBuffer } from './input-buffer.js';

/** Undoes the framing of one message body. */
export interface BodyDecoder {
  /** Length of the content that is still to come, or null if only the end will tell. */
  readonly remaining: Bytes | null;
  readonly trailers: Fields;
  /**
   * Consumes and returns the next piece of content; `'end'` behind the last one, `'more'` if nothing is at hand.
   * @throws WillisError for broken framing
   */
  next(input: InputBuffer): Buffer | 'end' | 'more';
}

/** A body of `Content-Length` bytes (RFC 9112 §6.2). */
export class LengthDecoder implements BodyDecoder {
  readonly trailers = Fields.none;
  #remaining: number;

  constructor(length: Bytes) {
    this.#remaining = length;
  }

  get remaining(): Bytes {
    return bytes(this.#remaining);
  }

  next(input: InputBuffer): Buffer | 'end' | 'more' {
    if (this.#remaining === 0) return 'end';
    if (input.length === 0) return 'more';
    const chunk = input.take(bytes(this.#remaining));
    this.#remaining -= chunk.length;
    return chunk;
  }
}
