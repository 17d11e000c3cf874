import type { Socket } from 'node:net';
import { bytes, type Bytes } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { SocketStream } from './socket-stream.js';

/** Most bytes of a response's head, interim responses counted each for itself. */
export const headLimit: Bytes = bytes(65536);

/** More interim responses than any origin server has use for. */
const interimLimit = 64;

const statusLineStart = /^HTTP\/1\.[01] [1-9][0-9]{2}[ \r]$/;
const statusLineStartLength = 13;

/**
 * The stream of one connection to an origin server, seen from the HTTP parser. Between the socket and the parser it
 * - refuses bytes that no request asked for (RFC 9112 §6.3: they belong to no response),
 * - refuses what does not begin as an HTTP/1 status line, and a 101 nobody asked for,
 * - drops 100 (Continue), which a client has to understand at any time (RFC 9110 §15.2.1) and the parser does not,
 * - reports a reset as a failure, also where the parser would take it for the end of a body.
 */
export class OriginStream extends SocketStream {
  /** Version in the last status line; null before the first. */
  version: '1.0' | '1.1' | null = null;
  #phase: 'idle' | 'head' | 'rest' = 'idle';
  #pending: Buffer = Buffer.alloc(0);
  #interim = 0;
  #received = 0;
  readonly #origin: Socket;
  readonly #passContinue: boolean;
  #sentBefore = 0;

  /** `passContinue` is for a parser that knows 100. */
  constructor(socket: Socket, { passContinue = false } = {}) {
    super(socket, { allowHalfOpen: false });
    this.#origin = socket;
    this.#passContinue = passContinue;
  }

  /** A request is about to be written: a response may come. */
  begin(): void {
    this.#phase = 'head';
    this.#interim = 0;
    this.#received = 0;
    this.#sentBefore = this.#origin.bytesWritten;
  }

  /** The response is complete: nothing may come. */
  finish(): void {
    this.#phase = 'idle';
  }

  /** Whether any byte has come since `begin`. */
  get answered(): boolean {
    return this.#received > 0;
  }

  /** Whether any byte has been handed to the socket since `begin`. */
  get sent(): boolean {
    return this.#origin.bytesWritten > this.#sentBefore;
  }

  ref(): this {
    this.#origin.ref();
    return this;
  }

  unref(): this {
    this.#origin.unref();
    return this;
  }

  protected override received(chunk: Buffer): Buffer | null {
    this.#received += chunk.length;
    if (this.#phase === 'rest') return chunk;
    if (this.#phase === 'idle') return this.#refuse('bytes that belong to no response');
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    return this.#passHead();
  }

  protected override ended(): void {
    if (this.#pending.length > 0) this.push(this.#pending);
    super.ended();
  }

  protected override translated(error: Error): Error {
    return new WillisError('upstream-reset', `the connection broke: ${(error as NodeJS.ErrnoException).code ?? error.message}`, {
      cause: error,
    });
  }

  /** Looks at the status lines that have arrived; interim responses go on, or not, as a whole. */
  #passHead(): Buffer | null {
    const passed: Buffer[] = [];
    while (this.#pending.length >= statusLineStartLength) {
      const start = this.#pending.toString('latin1', 0, statusLineStartLength);
      if (!statusLineStart.test(start)) return this.#refuse('not an HTTP/1.0 or HTTP/1.1 status line');
      this.version = start[7] === '0' ? '1.0' : '1.1';
      if (start[9] !== '1') {
        this.#phase = 'rest';
        passed.push(this.#takePending(this.#pending.length));
        break;
      }
      const end = this.#pending.indexOf('\r\n\r\n', 0, 'latin1');
      if (start.startsWith('101', 9)) return this.#refuse('101 (Switching Protocols) was not asked for');
      if (end < 0 && this.#pending.length > headLimit) return this.#refuse('head too large');
      if (end < 0) break;
      if (++this.#interim > interimLimit) return this.#refuse('too many interim responses');
      const interim = this.#takePending(end + 4);
      if (this.#passContinue || !start.startsWith('100', 9)) passed.push(interim);
    }
    return passed.length === 0 ? null : passed.length === 1 ? (passed[0] as Buffer) : Buffer.concat(passed);
  }

  #takePending(length: number): Buffer {
    const taken = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return taken;
  }

  #refuse(detail: string): null {
    this.destroy(new WillisError('upstream-malformed', detail));
    return null;
  }
}
