import { bytes, type Bytes } from '../../../config/units.js';
import { WillisError } from '../../base/errors.js';
import type { Body } from '../../http/body.js';
import { Fields } from '../../http/fields.js';
import type { DiskResponse } from './disk-response.js';
import type { SegmentReader } from './segment-reader.js';
import { segmentAt, type Segment } from './segment.js';

export interface BodySource {
  readonly reader: SegmentReader;
  /** The body needs its files no more. */
  readonly onEnd: () => void;
  /** A segment could not be read. */
  readonly onFailed: (segment: Segment | null, error: unknown) => Promise<void>;
}

/** A range of a response on disk, read one block ahead of its reader. */
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

  async read(): Promise<Buffer | null> {
    if (this.#isOver || this.#at >= this.#to) {
      this.#end();
      return null;
    }
    const chunk = await (this.#ahead ?? this.#next());
    this.#at += chunk.length;
    this.#ahead = null;
    if (this.#at >= this.#to) this.#end();
    else this.#readAhead();
    return chunk;
  }

  cancel(): void {
    this.#end();
  }

  #readAhead(): void {
    if (this.#isOver) return;
    this.#ahead = this.#next();
    // whoever reads on learns of it
    this.#ahead.catch(() => undefined);
  }

  async #next(): Promise<Buffer> {
    const from = this.#at;
    const segment = segmentAt(this.#response.segments, from);
    try {
      if (segment === null) throw new RangeError(`byte ${from} is not held`);
      const { at, data } = await this.#source.reader.blockAt(segment, from, this.#response.loaded);
      return data.subarray(from - at, Math.min(data.length, this.#to - at));
    } catch (error) {
      this.#end();
      await this.#source.onFailed(segment, error);
      throw new WillisError('internal', 'a stored response could not be read', { cause: error });
    }
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#source.onEnd();
  }
}
