import { bytes, type Bytes } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { Body } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';

/** Content that is not in memory. */
export interface ContentBody extends Body {
  /** Begins. Fulfilled when the first of it is there, or there is none. @throws (rejects with) WillisError content-… */
  ready(): Promise<void>;
}

/** A part of a content that is being got as a whole. */
export class PartOfWhole implements ContentBody {
  readonly length: Bytes;
  readonly trailers = Fields.none;
  readonly #from: Bytes;
  readonly #whole: () => Promise<Buffer>;
  #rest: Buffer | null = null;
  #isOver = false;

  constructor(whole: () => Promise<Buffer>, from: Bytes, to: Bytes) {
    this.#whole = whole;
    this.#from = from;
    this.length = bytes(to - from);
  }

  async ready(): Promise<void> {
    const whole = await failingAsContent(this.#whole());
    this.#rest = whole.subarray(this.#from, this.#from + this.length);
  }

  read(): Buffer | null | Promise<Buffer | null> {
    if (this.#isOver || this.length === 0) return null;
    return this.#rest === null ? this.ready().then(() => this.#all()) : this.#all();
  }

  cancel(): void {
    this.#isOver = true;
  }

  #all(): Buffer | null {
    if (this.#isOver) return null;
    this.#isOver = true;
    return this.#rest;
  }
}

/** A part of a content as it comes, block by block; one is got while the one before is being sent. */
export class StreamedPart implements ContentBody {
  readonly length: Bytes;
  readonly trailers = Fields.none;
  readonly #source: AsyncIterable<Buffer>;
  #iterator: AsyncIterator<Buffer> | null = null;
  #next: Promise<Buffer | null> | null = null;
  #first: Buffer | null = null;
  #received = 0;
  #isOver = false;

  /** @param source gives exactly that many bytes; it is not begun before the first of them are wanted */
  constructor(source: AsyncIterable<Buffer>, length: Bytes) {
    this.#source = source;
    this.length = length;
  }

  async ready(): Promise<void> {
    this.#first = await this.#step();
  }

  read(): Buffer | null | Promise<Buffer | null> {
    if (this.#first === null) return this.#isOver ? null : this.#readOn();
    const chunk = this.#first;
    this.#first = null;
    this.#readAhead();
    return chunk;
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#release();
  }

  async #readOn(): Promise<Buffer | null> {
    const next = this.#next ?? this.#step();
    this.#next = null;
    const chunk = await next;
    if (chunk !== null) this.#readAhead();
    return chunk;
  }

  #readAhead(): void {
    if (this.#isOver || this.#received >= this.length) return;
    this.#next = this.#step();
    // whoever reads on learns of it
    this.#next.catch(() => undefined);
  }

  /** The next bytes; null at the end. */
  async #step(): Promise<Buffer | null> {
    if (this.#isOver) return null;
    this.#iterator ??= this.#source[Symbol.asyncIterator]();
    for (;;) {
      const result = await failingAsContent(this.#iterator.next());
      // a reader that gave up meanwhile is told nothing
      if (this.#hasEnded()) return null;
      if (result.done === true) {
        this.#isOver = true;
        if (this.#received < this.length) throw unexpected('fewer', this.length);
        return null;
      }
      this.#received += result.value.length;
      if (this.#received > this.length) {
        this.cancel();
        throw unexpected('more', this.length);
      }
      if (result.value.length > 0) return result.value;
    }
  }

  #hasEnded(): boolean {
    return this.#isOver;
  }

  #release(): void {
    this.#first = null;
    // what is being got now ends first; its failure is nobody's any more
    Promise.resolve(this.#iterator?.return?.()).catch(() => undefined);
  }
}

/** All of a content in memory of its own. @throws (rejects with) WillisError content-unavailable, or what the source throws */
export async function gathered(source: AsyncIterable<Buffer>, length: Bytes): Promise<Buffer> {
  const whole = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for await (const chunk of source) {
    if (at + chunk.length > length) throw unexpected('more', length);
    at += chunk.copy(whole, at);
  }
  if (at < length) throw unexpected('fewer', length);
  return whole;
}

/** @throws (rejects with) WillisError */
async function failingAsContent<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw contentError(error);
  }
}

/** Why a content cannot be had, as the error table has it. */
function contentError(error: unknown): WillisError {
  if (error instanceof WillisError) return error;
  const code = error instanceof CallFailed ? 'content-unreachable' : 'content-unavailable';
  return new WillisError(code, error instanceof Error ? error.message : String(error), { cause: error });
}

const unexpected = (kind: 'more' | 'fewer', length: Bytes): WillisError =>
  new WillisError('content-unavailable', `${kind} than the ${length} bytes that the record says`);
