import { bytes, type Bytes } from '../../config/units.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { Body } from '../http/body.js';
import { Fields } from '../http/fields.js';
import type { ResponseWriter } from './response-store.js';

export interface FillOptions {
  /** How far the source may be read ahead of the fastest reader; with nothing being stored, of the slowest. */
  readonly readAhead: Bytes;
  /** With all readers gone, a transfer that lacks no more than this is completed for the store. */
  readonly completeWithin: Bytes;
  /** Whether what has come is worth keeping as a part if the transfer ends early. */
  readonly keepPart: boolean;
}

/**
 * One body on its way from upstream, to the store and to any number of readers at once. Each reader begins where it
 * likes; none waits for another as long as the store takes the bytes. Once the store gives up on the response, bytes
 * are kept only until the slowest reader has them, and the source is held back to it.
 *
 *     source ──read──▶ chunks ──▶ writer (store)
 *                        ├──────▶ reader ▶ client
 *                        └──────▶ reader ▶ client that came later
 */
export class Fill {
  readonly length: Bytes | null;
  /** Resolves when the transfer is over, with whether the response now stands in the store as a whole. */
  readonly ended: Promise<boolean>;
  readonly #source: Body;
  readonly #options: FillOptions;
  readonly #readers = new Set<FillReader>();
  #writer: ResponseWriter | null;
  /** Received chunks that somebody may still need, adjacent and in order. */
  readonly #chunks: { readonly start: number; readonly data: Buffer }[] = [];
  #received = 0;
  #state: 'flowing' | 'ended' | 'failed' = 'flowing';
  #error: Error | null = null;
  #pumping = false;
  #holds = 0;
  #settle!: (stored: boolean) => void;
  #trailers = Fields.none;

  constructor(source: Body, writer: ResponseWriter | null, options: FillOptions) {
    this.length = source.length;
    this.#source = source;
    this.#writer = writer;
    this.#options = options;
    this.ended = new Promise((resolve) => (this.#settle = resolve));
  }

  get trailers(): Fields {
    return this.#trailers;
  }

  /** Whether a reader can still begin at position 0. */
  get joinable(): boolean {
    return this.#state !== 'failed' && (this.#received === 0 || this.#chunks[0]?.start === 0);
  }

  /** A body of the bytes from ≤ position < to (null: to the end), the first of which must still be there. */
  reader(from: Bytes = bytes(0), to: Bytes | null = null): Body {
    const length = to !== null ? bytes(to - from) : this.length === null ? null : bytes(this.length - from);
    const reader = new FillReader(this, from, to ?? Infinity, length);
    this.#readers.add(reader);
    return reader;
  }

  /** Keeps the transfer alive without reading, until the returned function is called. */
  hold(): () => void {
    this.#holds++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds--;
      this.#considerEnding();
    };
  }

  /** @internal for FillReader: what is there at a position; 'wait' if it has not come yet; null at the end. */
  take(position: number): Buffer | null | 'wait' {
    // what is at hand at the source comes within this turn
    if (position >= this.#received && this.#state === 'flowing') this.#pump();
    if (position >= this.#received) {
      if (this.#state === 'failed') throw this.#error as Error;
      return this.#state === 'ended' ? null : 'wait';
    }
    const { start, data } = this.#chunkAt(position);
    return position === start ? data : data.subarray(position - start);
  }

  /** @internal for FillReader */
  advanced(): void {
    if (this.#writer === null) this.#dropRead();
    this.#pump();
  }

  /** @internal for FillReader */
  leave(reader: FillReader): void {
    if (!this.#readers.delete(reader) || this.#state !== 'flowing') return;
    if (this.#writer === null) this.#dropRead();
    this.#considerEnding();
  }

  /** With nobody left, a nearly complete transfer is completed, any other given up. */
  #considerEnding(): void {
    if (this.#state !== 'flowing') return;
    if (this.#readers.size > 0 || this.#holds > 0) {
      this.#pump();
      return;
    }
    const missing = this.length === null ? Infinity : this.length - this.#received;
    if (this.#writer !== null && missing <= this.#options.completeWithin) {
      this.#pump();
      return;
    }
    this.#source.cancel();
    this.#fail(new WillisError('client-gone', 'all readers went away'));
  }

  #wanted(): boolean {
    if (this.#readers.size === 0) return this.#writer !== null && this.#holds === 0;
    let fastest = 0;
    let slowest = Infinity;
    for (const { position } of this.#readers) {
      fastest = Math.max(fastest, position);
      slowest = Math.min(slowest, position);
    }
    const pace = this.#writer === null ? slowest : fastest;
    return this.#received < pace + this.#options.readAhead;
  }

  /** Reads on while somebody wants more. One loop at a time; runs in this turn as long as chunks are at hand. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    void this.#run().finally(() => {
      this.#pumping = false;
      if (this.#state === 'flowing' && this.#wanted()) this.#pump();
    });
  }

  get #over(): boolean {
    return this.#state !== 'flowing';
  }

  async #run(): Promise<void> {
    try {
      while (this.#state === 'flowing' && this.#wanted()) {
        const next = this.#source.read();
        const chunk = next instanceof Promise ? await next : next;
        // it may have been given up while this waited
        if (this.#over) return;
        if (chunk === null) {
          await this.#end();
          return;
        }
        await this.#add(chunk);
      }
    } catch (error) {
      this.#fail(asWillisError(error));
    }
  }

  async #add(chunk: Buffer): Promise<void> {
    this.#chunks.push({ start: this.#received, data: chunk });
    this.#received += chunk.length;
    if (this.#writer !== null) {
      const taken = this.#writer.append(chunk);
      if (!(taken instanceof Promise ? await taken : taken)) {
        this.#writer = null;
        this.#dropRead();
        this.#considerEnding();
      }
    }
    for (const reader of this.#readers) reader.wake();
  }

  async #end(): Promise<void> {
    this.#trailers = this.#source.trailers;
    const writer = this.#writer;
    this.#writer = null;
    // the store first: who has read the end may ask again at once, and is to find it stored
    const stored = writer === null ? null : await writer.commit(this.#trailers);
    this.#state = 'ended';
    this.#settle(stored !== null);
    for (const reader of this.#readers) reader.wake();
  }

  #fail(error: Error): void {
    if (this.#state !== 'flowing') return;
    this.#state = 'failed';
    this.#error = error;
    const writer = this.#writer;
    this.#writer = null;
    if (writer !== null) void writer.abandon(this.#options.keepPart);
    this.#settle(false);
    for (const reader of this.#readers) reader.wake();
  }

  /** Forgets what every reader has behind it. */
  #dropRead(): void {
    let slowest = this.#received;
    for (const { position } of this.#readers) slowest = Math.min(slowest, position);
    const kept = this.#chunks.findIndex(({ start, data }) => start + data.length > slowest);
    this.#chunks.splice(0, kept === -1 ? this.#chunks.length : kept);
  }

  #chunkAt(position: number): { readonly start: number; readonly data: Buffer } {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle]?.start ?? Infinity) <= position) low = middle;
      else high = middle - 1;
    }
    const chunk = this.#chunks[low];
    if (chunk === undefined || position < chunk.start) throw new RangeError(`position ${position} is no longer held`);
    return chunk;
  }
}

class FillReader implements Body {
  #position: number;
  #waiting: { resolve: (chunk: Buffer | null) => void; reject: (error: Error) => void } | null = null;
  #done = false;

  constructor(
    private readonly fill: Fill,
    from: number,
    private readonly to: number,
    readonly length: Bytes | null,
  ) {
    this.#position = from;
  }

  get position(): number {
    return this.#position;
  }

  get trailers(): Fields {
    return this.fill.trailers;
  }

  read(): Buffer | null | Promise<Buffer | null> {
    const chunk = this.#take();
    if (chunk !== 'wait') return chunk;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  cancel(): void {
    if (this.#done) return;
    this.#done = true;
    this.fill.leave(this);
    this.#waiting?.resolve(null);
    this.#waiting = null;
  }

  /** More has come, or the end, or a failure. */
  wake(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    try {
      const chunk = this.#take();
      if (chunk === 'wait') return;
      this.#waiting = null;
      waiting.resolve(chunk);
    } catch (error) {
      this.#waiting = null;
      waiting.reject(error as Error);
    }
  }

  #take(): Buffer | null | 'wait' {
    if (this.#done || this.#position >= this.to) return this.#finish();
    const chunk = this.fill.take(this.#position);
    if (chunk === 'wait') return chunk;
    if (chunk === null) return this.#finish();
    const part = this.#position + chunk.length > this.to ? chunk.subarray(0, this.to - this.#position) : chunk;
    this.#position += part.length;
    this.fill.advanced();
    return part;
  }

  #finish(): null {
    if (!this.#done) {
      this.#done = true;
      this.fill.leave(this);
    }
    return null;
  }
}
