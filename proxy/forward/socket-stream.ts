import { Duplex } from 'node:stream';

/**
 * A duplex in front of a connected socket, which it owns: what is to be known, kept back or changed on the way to the
 * library that uses the stream is done here, without touching the library or the socket.
 */
export class SocketStream extends Duplex {
  protected readonly socket: Duplex;
  #held = false;
  #wanted = false;

  constructor(socket: Duplex, options: { readonly allowHalfOpen: boolean }) {
    super({ allowHalfOpen: options.allowHalfOpen, readableHighWaterMark: 65536, writableHighWaterMark: 65536 });
    this.socket = socket;
    socket.pause();
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  /** Reads nothing more from the socket until `release`. */
  hold(): void {
    this.#held = true;
    this.socket.pause();
  }

  release(): void {
    this.#held = false;
    if (this.#wanted) this.socket.resume();
  }

  /** Gives the socket back: nothing of it is listened to any longer. */
  protected detach(): void {
    this.socket.pause();
    this.socket.off('data', this.#onData).off('end', this.#onEnd);
    this.socket.off('error', this.#onError).off('close', this.#onClose);
  }

  /** What to pass on of received bytes; null for nothing. */
  protected received(chunk: Buffer): Buffer | null {
    return chunk;
  }

  /** The other side has ended. */
  protected ended(): void {
    this.push(null);
  }

  /** The failure to report for a failure of the socket. */
  protected translated(error: Error): Error {
    return error;
  }

  override _read(): void {
    this.#wanted = true;
    if (!this.#held) this.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.socket.write(chunk, this.#reporting(done));
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    const last = this.#reporting(done);
    this.socket.cork();
    for (const [i, { chunk }] of chunks.entries()) this.socket.write(chunk, i === chunks.length - 1 ? last : undefined);
    this.socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.socket.end(this.#reporting(done));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.socket.destroy();
    done(error);
  }

  #reporting(done: (error?: Error | null) => void): (error?: Error | null) => void {
    return (error) => done(error == null ? null : this.translated(error));
  }

  readonly #onData = (chunk: Buffer): void => {
    const passed = this.received(chunk);
    if (passed === null || this.destroyed) return;
    if (!this.push(passed)) {
      this.#wanted = false;
      this.socket.pause();
    }
  };

  readonly #onEnd = (): void => this.ended();

  readonly #onError = (error: Error): void => void this.destroy(this.translated(error));

  readonly #onClose = (): void => {
    if (!this.socket.readableEnded) this.destroy(this.translated(new Error('connection closed')));
  };
}
