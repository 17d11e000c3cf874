import type { Bytes } from '../../../config/units.js';
import type { Body } from '../../../proxy/http/body.js';
import type { Fields } from '../../../proxy/http/fields.js';
import { BegunBody } from './begun-body.js';

/** A body that is looked at by somebody who may not want it, and then is to be had from its beginning again. */
export class RememberingBody implements Body {
  #remembered: Buffer[] | null = [];
  #size = 0;
  #isGivenBack = false;
  #isBroken = false;

  /** @param most bytes that are remembered; beyond them reading throws */
  constructor(
    private readonly source: Body,
    private readonly most: Bytes,
  ) {}

  /** Whether the source broke, and not the one who looked at it. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  get length(): Bytes | null {
    return this.source.length;
  }

  get trailers(): Fields {
    return this.source.trailers;
  }

  read(): Buffer | null | Promise<Buffer | null> {
    if (this.#remembered !== null && this.#size > this.most) throw new RangeError(`more than ${this.most} bytes`);
    let read: Buffer | null | Promise<Buffer | null>;
    try {
      read = this.source.read();
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
    return read instanceof Promise ? read.then(this.#pass, this.#broken) : this.#pass(read);
  }

  /** Nothing, once it is given back. */
  cancel(reason?: Error): void {
    if (!this.#isGivenBack) this.source.cancel(reason);
  }

  /** It is wanted: from now on nothing is remembered. */
  forget(): void {
    this.#remembered = null;
  }

  /** It is not wanted: all of it, while nobody reads this any more. */
  again(): Body {
    this.#isGivenBack = true;
    return new BegunBody(this.#remembered ?? [], this.source, this.source.length);
  }

  readonly #pass = (chunk: Buffer | null): Buffer | null => {
    if (chunk !== null && this.#remembered !== null) {
      this.#remembered.push(chunk);
      this.#size += chunk.length;
    }
    return chunk;
  };

  readonly #broken = (error: unknown): never => {
    this.#isBroken = true;
    throw error;
  };
}
