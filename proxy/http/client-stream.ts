import type { Duplex } from 'node:stream';
import type { Bytes } from '../../config/units.js';
import { InputBuffer } from './input-buffer.js';
import type { Client } from './message.js';

/** A connection as it was accepted. */
export interface Transport {
  readonly socket: Duplex;
  readonly client: Client;
  /** Authority of this server by its address, for HTTP/1.0 requests without `Host`. */
  readonly ownAuthority: string;
  /** Closes the connection by a TCP reset. */
  readonly reset: () => void;
  /** How much of what was written the system has taken so far. */
  readonly bytesSent: () => Bytes;
  /** Called once, when the connection is closed, or somebody else's. */
  readonly onEnded: () => void;
}

/** Who uses the bytes of a connection, and is told what becomes of it as long as nobody else has it. */
export interface StreamUser {
  /** Bytes have been added to the input. */
  onInput(): void;
  /** The client will send no more. */
  onInputEnd(): void;
  /** So much of what was written has gone that more may follow. */
  onDrain(): void;
  onClosed(): void;
}

/**
 * The bytes that a client sends: kept until they are taken, and read no further while enough is kept that nobody waits for.
 * And the ways in which a connection ends: in order, by a break, or by becoming somebody else's.
 */
export class ClientStream {
  readonly input = new InputBuffer();
  /** Whether the client will send no more. */
  inputEnded = false;
  readonly #socket: Duplex;
  readonly #reset: () => void;
  readonly #user: StreamUser;
  #attached = false;
  #paused = false;
  #closing = false;
  /** Received behind the end. */
  #lingered = 0;

  constructor(socket: Duplex, reset: () => void, user: StreamUser) {
    this.#socket = socket;
    this.#reset = reset;
    this.#user = user;
    this.#attach();
  }

  /** Reads on if input is wanted, and otherwise as long as little of it is kept. */
  regulate(wanted: boolean): void {
    const full = this.input.length >= READ_AHEAD && !wanted;
    if (full === this.#paused || !this.#attached) return;
    this.#paused = full;
    if (full) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Ends this side, and gives the client time to read what was sent: a reset would take it away (RFC 9112 §9.6). */
  end(): void {
    this.#closing = true;
    this.input.skip(this.input.length);
    this.regulate(true);
    this.#socket.end();
  }

  /** Ends the connection by a reset. The system no longer keeps what the client has not read. */
  break(): void {
    this.#reset();
    this.#socket.destroy();
  }

  /**
   * Offers the connection, with what was received of it, to somebody else.
   * @returns whether it was taken; otherwise it is as it was
   */
  handOver(offer: (received: Buffer) => boolean): boolean {
    this.#detach();
    const received = this.input.take(this.input.length);
    if (offer(received)) return true;
    this.input.append(received);
    this.#attach();
    if (!this.#paused) this.#socket.resume();
    return false;
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#closing) {
      this.#lingered += chunk.length;
      if (this.#lingered > LINGER_BYTES) this.#socket.destroy();
      return;
    }
    this.input.append(chunk);
    this.#user.onInput();
  };

  readonly #onEnd = (): void => {
    this.inputEnded = true;
    this.#user.onInputEnd();
  };

  readonly #onDrain = (): void => this.#user.onDrain();
  readonly #onClose = (): void => this.#user.onClosed();

  #attach(): void {
    this.#attached = true;
    this.#socket.on('data', this.#onData).on('end', this.#onEnd).on('drain', this.#onDrain).on('close', this.#onClose);
  }

  #detach(): void {
    this.#attached = false;
    this.#socket.pause();
    this.#socket
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('drain', this.#onDrain)
      .off('close', this.#onClose);
  }
}

/** Input kept for the handler, or for the next requests. */
const READ_AHEAD = 65_536;
/** Input discarded behind the last answer. */
const LINGER_BYTES = 1_048_576;
