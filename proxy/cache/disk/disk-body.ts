import { bytes, type Bytes } from '../../../config/units.js';
import { WillisError } from '../../base/errors.js';
import type { Body } from '../../http/body.js';
import { Fields } from '../../http/fields.js';
import type { DiskResponse } from './disk-response.js';
import type { Block, SegmentReader } from './segment-reader.js';
import { segmentAt, type Segment } from './segment.js';

export interface BodySource {
  readonly reader: SegmentReader;
  /** The body needs its files no more. */
  readonly onEnd: () => void;
  /** A segment could not be read. */
  readonly onFailed: (segment: Segment | null, error: unknown) => Promise<void>;
}

/** A range of a response on disk: read at once as it is asked for, or one block ahead of its reader. */
export class DiskBody implements Body {
  readonly length: Bytes;
  readonly trailers: Fields;
  readonly #response: DiskResponse;
  readonly #source: BodySource;
  readonly #to: number;
  /** Position of what comes next. */
  #at: number;
  #ahead: Promise<Buffer> | null = null;
  #isOver = false;

  constructor(response: DiskResponse, from: Bytes, to: Bytes, source: BodySource) {
    this.#response = response;
    this.#source = source;
    this.#at = from;
    this.#to = to;
    this.length = bytes(Math.max(0, to - from));
    this.trailers = response.complete && to === response.length ? response.trailers : Fields.none;
  }

  read(): Buffer | null | Promise<Buffer | null> {
    if (this.#ahead !== null) return this.#readOn(this.#ahead);
    if (this.#isOver || this.#at >= this.#to) {
      this.#end();
      return null;
    }
    const chunk = this.#now();
    if (chunk === null) return this.#readOn(this.#later());
    if (this.#pass(chunk) && !this.#source.reader.isPrompt) this.#readAhead();
    return chunk;
  }

  cancel(): void {
    this.#ahead = null;
    this.#end();
  }

  async #readOn(ahead: Promise<Buffer>): Promise<Buffer> {
    const chunk = await ahead;
    this.#ahead = null;
    if (this.#pass(chunk)) this.#readAhead();
    return chunk;
  }

  #readAhead(): void {
    this.#ahead = this.#later();
    // whoever reads on learns of it
    this.#ahead.catch(() => undefined);
  }

  /** Gives whether there is more to come. */
  #pass(chunk: Buffer): boolean {
    this.#at += chunk.length;
    if (this.#at >= this.#to) this.#end();
    return !this.#isOver;
  }

  /** Null if it is not to be had at once; where that is for a failure, it will be found again. */
  #now(): Buffer | null {
    const { segments, loaded } = this.#response;
    const segment = segmentAt(segments, this.#at);
    if (segment === null) return null;
    try {
      const block = this.#source.reader.blockNow(segment, this.#at, loaded);
      return block && this.#partOf(block);
    } catch {
      return null;
    }
  }

  async #later(): Promise<Buffer> {
    const { segments, loaded } = this.#response;
    const segment = segmentAt(segments, this.#at);
    try {
      if (segment === null) throw new RangeError(`byte ${this.#at} is not held`);
      return this.#partOf(await this.#source.reader.blockAt(segment, this.#at, loaded));
    } catch (error) {
      this.#end();
      await this.#source.onFailed(segment, error);
      throw new WillisError('internal', 'a stored response could not be read', { cause: error });
    }
  }

  #partOf({ at, data }: Block): Buffer {
    const [from, to] = [this.#at - at, this.#to - at];
    return from === 0 && to >= data.length ? data : data.subarray(from, Math.min(data.length, to));
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#source.onEnd();
  }
}
