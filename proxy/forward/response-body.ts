import type { Bytes } from '../../config/units.js';
import type { WillisError } from '../base/errors.js';
import type { Body } from '../http/body.js';
import { Fields } from '../http/fields.js';

/** What a body asks of the connection that fills it. */
export interface BodySource {
  /** There is room again. */
  resume(body: ResponseBody): void;
  /** The reader begins to wait for more. */
  awaited(body: ResponseBody): void;
  /** Nobody wants the rest. */
  abandon(body: ResponseBody): void;
}

/** How much is received ahead of the reader before the origin server is held back. */
const highWater = 256 * 1024;
/** What a chunk takes beside its bytes: an origin server that dribbles fills the room with far less. */
const perChunk = 512;

/** The content of a response on its way from an origin server: filled by its connection, pulled by its reader. */
export class ResponseBody implements Body {
  trailers = Fields.none;
  readonly length: Bytes | null;
  readonly #source: BodySource;
  #queue: Buffer[] = [];
  #queued = 0;
  #state: 'flowing' | 'ended' | 'cancelled' | WillisError = 'flowing';
  #waiting: { resolve: (chunk: Buffer | null) => void; reject: (error: WillisError) => void } | null = null;

  constructor(length: Bytes | null, source: BodySource) {
    this.length = length;
    this.#source = source;
  }

  /** Whether more may be pushed without going beyond what is held for the reader. */
  get hasRoom(): boolean {
    return this.#queued < highWater;
  }

  /** Whether the reader, and not the origin server, is the one to wait for. */
  get isRead(): boolean {
    return this.#waiting !== null;
  }

  read(): Buffer | null | Promise<Buffer | null> {
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      const before = this.#queued;
      this.#queued -= chunk.length + perChunk;
      if (before >= highWater && this.#queued < highWater && this.#state === 'flowing') this.#source.resume(this);
      return chunk;
    }
    if (this.#state === 'flowing') {
      this.#source.awaited(this);
      return new Promise((resolve, reject) => (this.#waiting = { resolve, reject }));
    }
    if (this.#state === 'ended' || this.#state === 'cancelled') return null;
    throw this.#state;
  }

  cancel(): void {
    const flowing = this.#state === 'flowing';
    this.#queue = [];
    this.#queued = 0;
    if (!flowing) return;
    this.#state = 'cancelled';
    this.#waiting?.resolve(null);
    this.#waiting = null;
    this.#source.abandon(this);
  }

  push(chunk: Buffer): void {
    if (this.#state !== 'flowing') return;
    const waiting = this.#waiting;
    if (waiting !== null) {
      this.#waiting = null;
      waiting.resolve(chunk);
      return;
    }
    this.#queue.push(chunk);
    this.#queued += chunk.length + perChunk;
  }

  end(trailers: Fields): void {
    if (this.#state !== 'flowing') return;
    this.#state = 'ended';
    this.trailers = trailers;
    this.#waiting?.resolve(null);
    this.#waiting = null;
  }

  /** What has come before can still be read; then the reader is told. */
  fail(error: WillisError): void {
    if (this.#state !== 'flowing') return;
    this.#state = error;
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}
