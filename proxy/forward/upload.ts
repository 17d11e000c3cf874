import type { Socket } from 'node:net';
import { WillisError } from '../base/errors.js';
import type { Body } from '../http/body.js';

/** Sends the content of a request, at the pace of the origin server. */
export class Upload {
  complete = false;
  /** Whether it waits for the client, and not for the origin server. */
  waits = false;
  readonly #socket: Socket;
  readonly #body: Body;
  #stopped = false;
  #started = false;

  constructor(socket: Socket, body: Body) {
    this.#socket = socket;
    this.#body = body;
  }

  /** @returns a promise that rejects if the content broke, or was not as long as it said */
  async run(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const { length } = this.#body;
    let sent = 0;
    for (;;) {
      const next = this.#body.read();
      this.waits = true;
      const chunk = next instanceof Promise ? await next : next;
      this.waits = false;
      if (this.#stopped) return;
      if (chunk === null) {
        this.#finish(sent);
        return;
      }
      sent += chunk.length;
      if (length !== null && sent > length) throw new WillisError('bad-request', 'content longer than it said');
      if (!this.#write(chunk, length === null) && !(await this.#drained())) return;
    }
  }

  /** Gives up what has not been sent. Idempotent. */
  stop(): void {
    if (this.#stopped || this.complete) return;
    this.#stopped = true;
    this.#body.cancel();
  }

  #finish(sent: number): void {
    const { length, trailers } = this.#body;
    if (length !== null && sent < length) throw new WillisError('bad-request', 'content shorter than it said');
    if (length === null) this.#socket.write(`0\r\n${trailers.wire()}\r\n`, 'latin1');
    this.complete = true;
  }

  #write(chunk: Buffer, chunked: boolean): boolean {
    if (!chunked) return this.#socket.write(chunk);
    this.#socket.cork();
    this.#socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    this.#socket.write(chunk);
    const room = this.#socket.write('\r\n', 'latin1');
    this.#socket.uncork();
    return room;
  }

  /** @returns whether to go on */
  #drained(): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done).off('close', done);
        resolve(!this.#stopped);
      };
      this.#socket.on('drain', done).on('close', done);
    });
  }
}
