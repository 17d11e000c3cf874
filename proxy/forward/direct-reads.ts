import type { OnReadOpts, Socket } from 'node:net';
import { bytes } from '../../config/units.js';
import { ReadBuffer } from './read-buffer.js';

/** Takes bytes, and returns whether it has no more need of them; if not, nothing is read until the socket is resumed. */
export type Sink = (chunk: Buffer) => boolean;

/**
 * Has what comes on a connection read into one buffer, instead of a new one for each read, and given to a sink straight
 * from there. Until there is a sink the socket is read like any other.
 */
export class DirectReads {
  /** For `connect` of `node:net`. */
  readonly onread: OnReadOpts;
  readonly #buffer = new ReadBuffer();
  #socket: Socket | null = null;
  #sink: Sink | null = null;
  /** Whether the sink needed what was read last. */
  #needed = false;

  constructor() {
    this.onread = {
      // asked for after each read
      buffer: () => this.#buffer.current,
      callback: (size, buffer) => this.#received(buffer as Buffer, size),
    };
  }

  /** The socket that was made with `onread`. */
  attach(socket: Socket): void {
    this.#socket = socket;
    socket.once('close', () => this.#buffer.end(this.#needed));
  }

  /** Whether a socket is the one attached, and not, for instance, one with TLS on top of another. */
  readsOf(socket: unknown): boolean {
    return socket === this.#socket;
  }

  /** What the socket still holds by itself comes out of it first, as the data of a stream. */
  passTo(sink: Sink): void {
    this.#sink = sink;
  }

  #received(buffer: Buffer, size: number): boolean {
    const socket = this.#socket as Socket;
    const chunk = buffer.subarray(0, size);
    if (this.#sink === null || socket.readableLength > 0) return socket.push(Buffer.from(chunk));
    this.#needed = !this.#sink(chunk);
    this.#buffer.used(bytes(size), this.#needed);
    return !this.#needed;
  }
}
