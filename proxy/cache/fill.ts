import { bytes, type Bytes } from '../../config/units.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { Body } from '../http/body.js';
import { Fields } from '../http/fields.js';
import { FillReader, type ReadSource } from './fill-reader.js';
import { ReceivedChunks } from './received-chunks.js';
import type { ResponseWriter } from './response-store.js';
import type { StoredResponse } from './stored-response.js';

export interface FillOptions {
  /** How far the source may be read ahead of the fastest reader; with nothing being stored, of the slowest. */
  readonly readAhead: Bytes;
  /** With all readers gone, a transfer that lacks no more than this is completed for the store. */
  readonly completeWithin: Bytes;
  /** Whether what has come is worth keeping as a part; asked if the transfer ends early. */
  readonly keepPart: () => boolean;
  /** For a transfer that is stored. Without it all that has come is kept as long as it is. */
  readonly backing?: Backing;
}

/** Where readers go on who have fallen behind what is kept in memory. */
export interface Backing {
  /** How much of what has come is kept, where the store does not keep it in memory anyway. */
  readonly window: Bytes;
  /** Some bytes of what was stored in the end. */
  open(stored: StoredResponse, from: Bytes, to: Bytes): Body;
}

/**
 * One body on its way from upstream, to the store and to any number of readers at once. Each reader begins where it
 * likes; none waits for another as long as the store takes the bytes. Once the store gives up on the response, bytes
 * are kept only until the slowest reader has them, and the source is held back to it. While the store takes the bytes, no
 * more of them is kept than `window`: who falls further behind waits for the end, and goes on with what is stored.
 *
 *     source ──read──▶ chunks ──▶ writer (store)
 *                        ├──────▶ reader ▶ client
 *                        └──────▶ reader ▶ client that came later
 */
export class Fill implements ReadSource {
  readonly length: Bytes | null;
  readonly #source: Body;
  readonly #options: FillOptions;
  readonly #readers: FillReader[] = [];
  #writer: ResponseWriter | null;
  readonly #chunks = new ReceivedChunks();
  #stored: StoredResponse | null = null;
  #state: 'flowing' | 'ended' | 'failed' = 'flowing';
  #error: Error | null = null;
  #pumping = false;
  #committing = false;
  #holds = 0;
  #onEnded: (() => void)[] = [];
  #trailers = Fields.none;

  constructor(source: Body, writer: ResponseWriter | null, options: FillOptions) {
    this.length = source.length;
    this.#source = source;
    this.#writer = writer;
    this.#options = options;
  }

  get trailers(): Fields {
    return this.#trailers;
  }

  /** The listener is called when the transfer is over and the store has taken what it takes of it; now, if it is. */
  whenEnded(listener: () => void): void {
    if (this.#over) listener();
    else this.#onEnded.push(listener);
  }

  /** Whether a reader can still begin at position 0. */
  get joinable(): boolean {
    return this.#state !== 'failed' && this.#chunks.start === 0;
  }

  /** A body of the bytes from ≤ position < to (null: to the end), the first of which must still be there. */
  reader(from: Bytes = bytes(0), to: Bytes | null = null): Body {
    const length = to !== null ? bytes(to - from) : this.length === null ? null : bytes(this.length - from);
    const reader = new FillReader(this, from, to ?? Infinity, length);
    this.#readers.push(reader);
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

  take(position: number): Buffer | null | 'wait' | 'stored' {
    // what is at hand at the source comes within this turn
    if (position >= this.#chunks.end && this.#state === 'flowing') this.#pump();
    if (position >= this.#chunks.end) {
      if (this.#state === 'failed') throw this.#error as Error;
      return this.#state === 'ended' ? null : 'wait';
    }
    if (position < this.#chunks.start) return this.#takeDropped();
    return this.#chunks.at(position);
  }

  rest(from: Bytes, to: Bytes): Body {
    const { backing } = this.#options;
    if (backing === undefined || this.#stored === null) throw new WillisError('internal', 'nothing was stored');
    return backing.open(this.#stored, from, bytes(Math.min(to, this.#chunks.end)));
  }

  advanced(): void {
    if (this.#writer === null) this.#dropRead();
    this.#pump();
  }

  leave(reader: FillReader): void {
    const at = this.#readers.indexOf(reader);
    if (at >= 0) this.#readers.splice(at, 1);
    if (at === -1 || this.#state !== 'flowing') return;
    if (this.#writer === null) this.#dropRead();
    this.#considerEnding();
  }

  /** For a reader who has fallen behind what is kept. @throws WillisError if it is to be had nowhere */
  #takeDropped(): 'wait' | 'stored' {
    if (this.#state === 'failed') throw this.#error as Error;
    if (this.#stored !== null) return 'stored';
    if (this.#writer === null && !this.#committing)
      throw new WillisError('internal', 'it is not stored after all, and what a slow reader still needed is gone');
    return 'wait';
  }

  /** With nobody left, a nearly complete transfer is completed, any other given up. */
  #considerEnding(): void {
    if (this.#state !== 'flowing') return;
    if (this.#readers.length > 0 || this.#holds > 0) {
      this.#pump();
      return;
    }
    const missing = this.length === null ? Infinity : this.length - this.#chunks.end;
    if (this.#writer !== null && missing <= this.#options.completeWithin) {
      this.#pump();
      return;
    }
    this.#source.cancel();
    this.#fail(new WillisError('client-gone', 'all readers went away'));
  }

  #wanted(): boolean {
    if (this.#readers.length === 0) return this.#writer !== null && this.#holds === 0;
    let fastest = 0;
    let slowest = Infinity;
    for (const { position } of this.#readers) {
      fastest = Math.max(fastest, position);
      slowest = Math.min(slowest, position);
    }
    const pace = this.#writer === null ? slowest : fastest;
    return this.#chunks.end < pace + this.#options.readAhead;
  }

  /** Reads on while somebody wants more. One loop at a time; runs in this turn as long as chunks are at hand. */
  #pump(): void {
    if (!this.#pumping) this.#run(undefined);
  }

  /** @param arrived what the loop has waited for */
  #run(arrived: Buffer | null | undefined): void {
    this.#pumping = true;
    try {
      for (let next = arrived; ;) {
        const stored = next === undefined ? null : this.#take(next);
        if (stored !== null) {
          stored.then(() => this.#run(undefined), this.#onBroken);
          return;
        }
        if (this.#over || !this.#wanted()) break;
        const read = this.#source.read();
        if (read instanceof Promise) {
          read.then((chunk) => this.#arrived(chunk), this.#onBroken);
          return;
        }
        next = read;
      }
    } catch (error) {
      this.#fail(asWillisError(error));
    }
    this.#pumping = false;
  }

  /** It may have been given up while this was awaited. */
  #arrived(chunk: Buffer | null): void {
    if (this.#over) this.#pumping = false;
    else this.#run(chunk);
  }

  readonly #onBroken = (error: unknown): void => {
    this.#pumping = false;
    this.#fail(asWillisError(error));
  };

  get #over(): boolean {
    return this.#state !== 'flowing';
  }

  /** Passes a chunk, or the end, on. @returns what is to be waited for; null if all is done */
  #take(chunk: Buffer | null): Promise<void> | null {
    if (chunk === null) return this.#commit();
    this.#chunks.push(chunk);
    const { backing } = this.#options;
    if (backing !== undefined && this.#writer !== null && this.#writer.keepsBuffers !== true)
      this.#chunks.dropBefore(this.#chunks.end - backing.window);
    const taken = this.#writer === null ? true : this.#writer.append(chunk);
    if (taken instanceof Promise) return taken.then((stored) => this.#added(stored));
    this.#added(taken);
    return null;
  }

  #added(stored: boolean): void {
    if (!stored) {
      this.#writer = null;
      this.#dropRead();
      this.#considerEnding();
    }
    this.#wakeReaders();
  }

  /** The store first: who has read the end may ask again at once, and is to find it stored. */
  #commit(): Promise<void> | null {
    this.#trailers = this.#source.trailers;
    const writer = this.#writer;
    this.#writer = null;
    const committed = writer === null ? null : writer.commit(this.#trailers);
    if (committed instanceof Promise) {
      this.#committing = true;
      return committed.then((stored) => this.#end(stored));
    }
    this.#end(committed);
    return null;
  }

  #end(stored: StoredResponse | null): void {
    this.#committing = false;
    this.#stored = stored;
    this.#state = 'ended';
    this.#settle();
    this.#wakeReaders();
  }

  #settle(): void {
    const listeners = this.#onEnded;
    this.#onEnded = [];
    for (const listener of listeners) listener();
  }

  /** Those who read on may leave meanwhile. */
  #wakeReaders(): void {
    for (const reader of this.#readers.slice()) reader.wake();
  }

  #fail(error: Error): void {
    if (this.#state !== 'flowing') return;
    this.#state = 'failed';
    this.#error = error;
    const writer = this.#writer;
    this.#writer = null;
    if (writer !== null) void writer.abandon(this.#options.keepPart());
    this.#settle();
    this.#wakeReaders();
  }

  /** Forgets what every reader has behind it. */
  #dropRead(): void {
    let slowest = this.#chunks.end;
    for (const { position } of this.#readers) slowest = Math.min(slowest, position);
    this.#chunks.dropBefore(slowest);
  }
}
