import type { Duplex } from 'node:stream';
import { bytes, type Bytes } from '../../config/units.js';
import { asWillisError, type WillisError } from '../base/errors.js';
import type { Body } from './body.js';
import { assertSendable, type ResponseFrame } from './response-framing.js';
import { permittedTrailers } from './trailers.js';

/**
 * How a response ended: `complete`; `broken` when its body failed or was too short, with no byte sent if it failed at
 * once; `excess` when it was longer than announced (what was announced has been sent); `gone` when the connection broke.
 */
export type Sent =
  | { readonly kind: 'complete' }
  | { readonly kind: 'broken'; readonly error: WillisError }
  | { readonly kind: 'excess' }
  | { readonly kind: 'gone' };

/**
 * Sends the responses of one connection, one at a time. A body at hand leaves in the turn in which it is given; a slow
 * client holds the source of the body back. Reads the body to its end or cancels it; never ends the connection.
 */
export class ResponseSender {
  readonly #socket: Duplex;
  readonly #done: (sent: Sent) => void;
  #frame: ResponseFrame | null = null;
  #body: Body | null = null;
  /** What is left of a chunk too large for one write. */
  #rest: Buffer | null = null;
  #bodyBytes = 0;
  #sentBytes = 0;
  #waitsFor: 'nothing' | 'chunk' | 'drain' | 'last-drain' = 'nothing';

  /** @param done called once for each response, perhaps within `send` */
  constructor(socket: Duplex, done: (sent: Sent) => void) {
    this.#socket = socket;
    this.#done = done;
  }

  /** Whether a response is under way. */
  get busy(): boolean {
    return this.#frame !== null;
  }

  /** Bytes written of the response under way, or of the last one. */
  get sentBytes(): Bytes {
    return bytes(this.#sentBytes);
  }

  /** Of these the content, without framing. */
  get contentBytes(): Bytes {
    return bytes(this.#bodyBytes);
  }

  send(frame: ResponseFrame, body: Body | null): void {
    this.#sentBytes = 0;
    this.#bodyBytes = 0;
    this.#frame = frame;
    if (body === null || frame.content === 'none') {
      body?.cancel();
      this.#write(frame.head);
      this.#end();
      return;
    }
    this.#body = body;
    this.#start(frame, body);
  }

  /** The connection has room again. */
  onDrain(): void {
    if (this.#waitsFor === 'last-drain') this.#finish({ kind: 'complete' });
    else if (this.#waitsFor === 'drain') {
      this.#waitsFor = 'nothing';
      this.#socket.cork();
      this.#continue();
      this.#socket.uncork();
    }
  }

  /** The connection broke: gives up the response under way. */
  abandon(reason: WillisError): void {
    if (this.#frame === null) return;
    this.#body?.cancel(reason);
    this.#finish({ kind: 'gone' });
  }

  /** A small body that is there in one piece leaves in one string with the head: the cheapest write there is. */
  #start(frame: ResponseFrame, body: Body): void {
    const chunk = this.#read(body);
    if (chunk === undefined) return;
    if (chunk instanceof Buffer && chunk.length === frame.length && chunk.length <= LARGEST_IN_ONE_STRING) {
      this.#bodyBytes = chunk.length;
      this.#write(frame.head + chunk.toString('latin1'));
      this.#continue();
      return;
    }
    this.#socket.cork();
    this.#write(frame.head);
    if (this.#take(chunk)) this.#continue();
    this.#socket.uncork();
  }

  /** Goes on until it has to wait or the response has ended. */
  #continue(): void {
    for (;;) {
      if (this.#frame === null || this.#body === null) return;
      if (this.#socket.writableNeedDrain) {
        this.#waitsFor = 'drain';
        return;
      }
      if (this.#rest !== null) this.#writeSlice(this.#rest);
      else if (!this.#take(this.#read(this.#body))) return;
    }
  }

  /** The next chunk; undefined if the body broke and the response ended with that. */
  #read(body: Body): Buffer | null | Promise<Buffer | null> | undefined {
    try {
      return body.read();
    } catch (error) {
      this.#break(error);
      return undefined;
    }
  }

  /** Takes what a read gave. @returns whether to go on at once */
  #take(chunk: Buffer | null | Promise<Buffer | null> | undefined): boolean {
    if (chunk === undefined) return false;
    if (chunk === null) {
      this.#bodyEnded();
      return false;
    }
    if (chunk instanceof Promise) {
      this.#wait(chunk);
      return false;
    }
    return this.#takeChunk(chunk);
  }

  #wait(promise: Promise<Buffer | null>): void {
    this.#waitsFor = 'chunk';
    const frame = this.#frame;
    promise.then(
      (chunk) => {
        if (this.#frame !== frame) return;
        this.#waitsFor = 'nothing';
        this.#socket.cork();
        if (this.#take(chunk)) this.#continue();
        this.#socket.uncork();
      },
      (error: unknown) => {
        if (this.#frame === frame) this.#break(error);
      },
    );
  }

  #takeChunk(chunk: Buffer): boolean {
    const room = this.#frame?.length == null ? chunk.length : this.#frame.length - this.#bodyBytes;
    if (chunk.length > room) {
      this.#bodyBytes += room;
      if (room > 0) this.#write(chunk.subarray(0, room));
      this.#body?.cancel();
      this.#finish({ kind: 'excess' });
      return false;
    }
    if (chunk.length > 0) this.#rest = chunk;
    return true;
  }

  #writeSlice(chunk: Buffer): void {
    const slice = chunk.length <= LARGEST_WRITE ? chunk : chunk.subarray(0, LARGEST_WRITE);
    this.#rest = slice === chunk ? null : chunk.subarray(LARGEST_WRITE);
    this.#bodyBytes += slice.length;
    if (this.#frame?.content !== 'chunked') {
      this.#write(slice);
      return;
    }
    this.#write(`${slice.length.toString(16)}\r\n`);
    this.#write(slice);
    this.#write('\r\n');
  }

  #bodyEnded(): void {
    const { content, length } = this.#frame as ResponseFrame;
    if (length !== null && this.#bodyBytes < length) {
      this.#break(new Error(`body of ${this.#bodyBytes} bytes, announced ${length}`));
      return;
    }
    if (content === 'chunked' && !this.#writeLastChunk()) return;
    this.#end();
  }

  #writeLastChunk(): boolean {
    try {
      const trailers = permittedTrailers((this.#body as Body).trailers);
      const section = `${trailers.wire()}\r\n`;
      assertSendable(section, trailers.lines.length / 2 + 1);
      this.#write(`0\r\n${section}`);
      return true;
    } catch (error) {
      this.#break(error);
      return false;
    }
  }

  #write(data: string | Buffer): void {
    this.#sentBytes += data.length;
    if (typeof data === 'string') this.#socket.write(data, 'latin1');
    else this.#socket.write(data);
  }

  /** All is written; ended once the connection has taken enough of it. */
  #end(): void {
    this.#body = null;
    if (this.#socket.writableNeedDrain) this.#waitsFor = 'last-drain';
    else this.#finish({ kind: 'complete' });
  }

  #break(error: unknown): void {
    this.#body?.cancel();
    this.#finish({ kind: 'broken', error: asWillisError(error) });
  }

  #finish(sent: Sent): void {
    this.#frame = null;
    this.#body = null;
    this.#rest = null;
    this.#waitsFor = 'nothing';
    this.#done(sent);
  }
}

/** Up to here, copying a body into the head's string is cheaper than a second write (measured). */
const LARGEST_IN_ONE_STRING = 4096;
/** Small enough for a slow client to show progress within the time limit of a blocked write. */
const LARGEST_WRITE = 131_072;
