import type { Socket } from 'node:net';
import { WillisError } from '../base/errors.js';
import type { Counter } from '../base/metrics.js';
import type { Body } from '../http/body.js';

/** Sends the content of a request, at the pace of the origin server. */
export class Upload {
  complete = false;
  /** Whether it waits for the client, and not for the origin server. */
  waits = false;
  readonly #socket: Socket;
  readonly #body: Body;
  readonly #sent: Counter;
  #stopped = false;
  #started = false;

  /** @param sent counts the bytes */
  constructor(socket: Socket, body: Body, sent: Counter) {
    this.#socket = socket;
    this.#body = body;
    this.#sent = sent;
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
    if (length === null) this.#send(`0\r\n${trailers.wire()}\r\n`);
    this.complete = true;
  }

  #write(chunk: Buffer, chunked: boolean): boolean {
    if (!chunked) return this.#send(chunk);
    this.#socket.cork();
    this.#send(`${chunk.length.toString(16)}\r\n`);
    this.#send(chunk);
    const room = this.#send('\r\n');
    this.#socket.uncork();
    return room;
  }

  /** @returns whether there is room for more */
  #send(data: string | Buffer): boolean {
    this.#sent.add(data.length);
    return this.#socket.write(data, 'latin1');
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
