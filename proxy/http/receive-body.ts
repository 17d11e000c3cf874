import { bytes, type Bytes } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import type { Body } from './body.js';
import { LengthDecoder, type BodyDecoder } from './body-decoder.js';
import { ChunkedDecoder } from './chunked.js';
import { Fields } from './fields.js';
import type { Framing } from './framing.js';
import type { InputBuffer } from './input-buffer.js';
import type { HeadLimits } from './receive.js';

type Waiting = { readonly resolve: (chunk: Buffer | null) => void; readonly reject: (error: Error) => void };

/**
 * The content of a request on its way in. The connection feeds the input; the handler reads, which gives at once what
 * is at hand. Once the answer is complete the connection takes the rest over and discards it.
 */
export class ReceivedBody implements Body {
  readonly length: Bytes | null;
  readonly #decoder: BodyDecoder;
  readonly #input: InputBuffer;
  readonly #consumed: () => void;
  #waiting: Waiting | null = null;
  #error: WillisError | null = null;
  /** Why nothing is to be added to the input. */
  #inputEnd: WillisError | null = null;
  #read = false;
  #cancelled = false;
  #ended = false;

  /** @param consumed called after each read: there may be room for more input */
  constructor(decoder: BodyDecoder, input: InputBuffer, consumed: () => void) {
    this.length = decoder.remaining;
    this.#decoder = decoder;
    this.#input = input;
    this.#consumed = consumed;
  }

  get trailers(): Fields {
    return this.#ended ? this.#decoder.trailers : Fields.none;
  }

  /** Whether a reader waits for input. */
  get waiting(): boolean {
    return this.#waiting !== null;
  }

  /** Whether the whole of it was consumed. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Whether its framing broke, it stalled, or the client has gone. */
  get failed(): boolean {
    return (this.#error ?? this.#inputEnd) !== null;
  }

  /** Whether anybody has begun to read it and has not given up. */
  get inUse(): boolean {
    return this.#read && !this.#cancelled;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Length of the content not consumed, or null if only the end will tell. */
  get remaining(): Bytes | null {
    return this.#decoder.remaining;
  }

  read(): Buffer | null | Promise<Buffer | null> {
    this.#read = true;
    if (this.#cancelled) return Promise.reject(new WillisError('internal', 'a cancelled request body was read'));
    const chunk = this.#next();
    if (chunk !== 'more') {
      this.#consumed();
      return chunk;
    }
    const promise = new Promise<Buffer | null>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    // A reader that has gone away in the meantime must not bring the process down.
    promise.catch(() => undefined);
    this.#consumed();
    return promise;
  }

  cancel(): void {
    this.#cancelled = true;
    this.#settle(new WillisError('internal', 'the request body was cancelled'));
  }

  /** Input has arrived: gives it to a reader who waits. */
  onInput(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    let chunk: Buffer | null | 'more';
    try {
      chunk = this.#next();
    } catch (error) {
      this.#settle(error as WillisError);
      return;
    }
    if (chunk === 'more') return;
    this.#waiting = null;
    waiting.resolve(chunk);
  }

  /** Nothing more will come: what is at hand can still be read, and if that is not all of it, reads fail. */
  fail(error: WillisError): void {
    this.#inputEnd ??= error;
    this.onInput();
  }

  /**
   * Consumes and drops what is at hand, taking the body from its reader.
   * @returns how much was dropped, and whether that was the end; null if the framing broke
   */
  discard(): { readonly dropped: Bytes; readonly ended: boolean } | null {
    this.cancel();
    let dropped = 0;
    try {
      for (let chunk = this.#next(); chunk !== 'more'; chunk = this.#next()) {
        if (chunk === null) return { dropped: bytes(dropped), ended: true };
        dropped += chunk.length;
      }
    } catch {
      return null;
    }
    return { dropped: bytes(dropped), ended: false };
  }

  #next(): Buffer | null | 'more' {
    if (this.#ended) return null;
    if (this.#error !== null) throw this.#error;
    try {
      const chunk = this.#decoder.next(this.#input);
      if (chunk === 'more' && this.#inputEnd !== null) throw this.#inputEnd;
      if (chunk !== 'end') return chunk;
      this.#ended = true;
      return null;
    } catch (error) {
      this.#error = error as WillisError;
      throw error;
    }
  }

  #settle(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(error);
  }
}

/** The decoder for a request's framing, or null if it has no content. */
export function bodyDecoder(framing: Framing, limits: HeadLimits): BodyDecoder | null {
  switch (framing.kind) {
    case 'none':
      return null;
    case 'length':
      return new LengthDecoder(framing.length);
    case 'chunked':
      return new ChunkedDecoder(limits);
  }
}
