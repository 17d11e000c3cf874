import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { bytes, milliseconds } from '../../config/units.js';
import { Deadline } from './deadline.js';
import type { Carried } from './relay.js';
import { SocketStream } from './socket-stream.js';
import { wasReset } from './was-reset.js';

/** How long a client may take to close its side after an answer that is no 101. */
const lingerTime = milliseconds(2000);

type Done = (error?: Error | null) => void;

/**
 * Stands between the client's connection and the library that passes a handshake on. Until `commit` nothing the library
 * does reaches the client, so that a failed handshake can still be answered by the caller; after it, the end of either
 * side ends the other.
 */
export class UpgradeBridge extends SocketStream {
  /** Counts of bytes from and to the client, and of those of the head, which the library sends first. */
  #passedIn = 0;
  #passedOut = 0;
  #headOut = 0;
  readonly #origin: Socket;
  #state: 'undecided' | 'committed' | 'withdrawn' = 'undecided';
  readonly #linger = new Deadline(lingerTime, () => void this.destroy());

  /** `head` is what the client has sent after its request. */
  constructor(client: Duplex, origin: Socket, head: Buffer) {
    super(client);
    this.#origin = origin;
    // Failures close the bridge, and that is listened to.
    this.on('error', () => undefined);
    // Before the library hears of it, which would take a reset for an end.
    origin.on('error', () => this.#originReset());
    origin.on('end', () => {
      if (wasReset(origin)) this.#originReset();
    });
    if (head.length > 0) this.push(this.received(head));
  }

  carried(): Carried {
    const contentOut = bytes(this.#passedOut - this.#headOut);
    return { bytesIn: bytes(this.#passedIn), bytesOut: bytes(this.#passedOut), contentOut };
  }

  /** What the library does from now on reaches the client; `discard` drops what the client goes on to send. */
  commit(signal: AbortSignal, { discard }: { discard: boolean }): void {
    this.#state = 'committed';
    const onAbort = (): void => void this.destroy();
    signal.addEventListener('abort', onAbort, { once: true });
    this.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      this.#linger.end();
      this.#origin.destroy();
    });
    if (!discard) this.#origin.once('close', () => this.#originClosed());
    else {
      this.resume();
      this.once('finish', () => this.#linger.start());
    }
    if (signal.aborted) onAbort();
  }

  /** Leaves the client's connection to the caller, untouched. */
  withdraw(): void {
    this.#state = 'withdrawn';
    this.detach();
    this.destroy();
  }

  /** As a socket has it; the library sets these on what it takes for one. */
  setTimeout(): this {
    return this;
  }

  setNoDelay(on: boolean): this {
    if (isSocket(this.socket)) this.socket.setNoDelay(on);
    return this;
  }

  setKeepAlive(on: boolean): this {
    if (isSocket(this.socket)) this.socket.setKeepAlive(on);
    return this;
  }

  protected override received(chunk: Buffer): Buffer {
    this.#passedIn += chunk.length;
    return chunk;
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: Done): void {
    if (this.#state === 'committed') super._write(this.#counted(chunk), encoding, done);
    else done();
  }

  override _final(done: Done): void {
    if (this.#state === 'committed') super._final(done);
    else done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.#state === 'committed') super._destroy(error, done);
    else done(error);
  }

  /** The origin server's version in the status line becomes this node's (RFC 9110 §6.2). */
  #counted(chunk: Buffer): Buffer {
    const first = this.#passedOut === 0;
    this.#passedOut += chunk.length;
    if (first) this.#headOut = chunk.length;
    if (!first || chunk.toString('latin1', 0, 9) !== 'HTTP/1.0 ') return chunk;
    return Buffer.concat([Buffer.from('HTTP/1.1 '), chunk.subarray(9)]);
  }

  #originReset(): void {
    if (this.#state === 'committed') this.destroy();
  }

  #originClosed(): void {
    if (!this.#origin.readableEnded) this.destroy();
    else if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy()).end();
  }
}

const isSocket = (stream: Duplex): stream is Socket => 'setNoDelay' in stream && 'setKeepAlive' in stream;
