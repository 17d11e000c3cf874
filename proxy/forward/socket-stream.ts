import { Duplex } from 'node:stream';
import { breakOff } from './break-off.js';

/**
 * A duplex in front of a connected socket, which it owns until `detach`: what is to be known, kept back or changed on
 * the way to the library that uses the stream is done here, without touching the library or the socket.
 */
export class SocketStream extends Duplex {
  protected readonly socket: Duplex;

  constructor(socket: Duplex) {
    super({ allowHalfOpen: true, readableHighWaterMark: 65536, writableHighWaterMark: 65536 });
    this.socket = socket;
    socket.pause();
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  /** Gives the socket back: nothing of it is listened to any longer. */
  protected detach(): void {
    this.socket.pause();
    this.socket.off('data', this.#onData).off('end', this.#onEnd);
    this.socket.off('error', this.#onError).off('close', this.#onClose);
  }

  /** What to pass on of received bytes. */
  protected received(chunk: Buffer): Buffer {
    return chunk;
  }

  override _read(): void {
    this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.writableFinished) this.socket.destroy();
    else breakOff(this.socket);
    done(error);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.destroyed && !this.push(this.received(chunk))) this.socket.pause();
  };

  readonly #onEnd = (): void => void this.push(null);

  readonly #onError = (error: Error): void => void this.destroy(error);

  readonly #onClose = (): void => {
    if (!this.socket.readableEnded) this.destroy(new Error('connection closed'));
  };
}
