import { attributeText } from './attribute-text.js';
import type { SplicedOutput } from './spliced-output.js';

/** An attribute of the tag under way. */
export interface TagValue {
  readonly name: string;
  /** Where it stands, with its quotes. */
  readonly from: number;
  readonly to: number;
  /** Null if it cannot be read. */
  readonly text: string | null;
}

/**
 * The attributes of a tag of which the values matter. From the first of them on, the original is held back up to the end of the tag; what is
 * longer than 64 KiB is not looked at, in whatever pieces it comes.
 */
export class TagValues {
  readonly #output: SplicedOutput;
  readonly #charset: string | null;
  #places: Place[] = [];
  #heldFrom: number | null = null;
  #isTooLong = false;

  constructor(output: SplicedOutput, charset: string | null) {
    this.#output = output;
    this.#charset = charset;
  }

  get heldFrom(): number | null {
    return this.#heldFrom;
  }

  /** Whether it was longer than is looked at. */
  get isTooLong(): boolean {
    return this.#isTooLong;
  }

  clear(): void {
    this.#heldFrom = null;
    this.#isTooLong = false;
    if (this.#places.length > 0) this.#places = [];
  }

  /** An attribute that matters. @returns whether it is the first of its name, which alone counts */
  add(name: string): boolean {
    if (this.#isTooLong || this.#places.some((place) => place.name === name)) return false;
    this.#places.push({ name, from: -1, to: -1, quote: 0 });
    return true;
  }

  begins(at: number): void {
    const place = this.#places.at(-1);
    if (place === undefined) return;
    this.#heldFrom ??= at;
    place.from = at;
  }

  ends(to: number, isQuoted: boolean): void {
    const place = this.#places.at(-1);
    if (place === undefined) return;
    place.to = to;
    place.quote = isQuoted ? 1 : 0;
  }

  /** All has come up to there. */
  passed(to: number): void {
    if (this.#heldFrom === null || to - this.#heldFrom <= mostHeld) return;
    this.clear();
    this.#isTooLong = true;
  }

  read(): readonly TagValue[] {
    if (this.#places.length === 0) return none;
    const valued = this.#places.filter(({ from }) => from >= 0);
    return valued.map(({ name, from, to, quote }) => {
      const text = attributeText(this.#output.text(from + quote, to - quote), this.#charset);
      return { name, from, to, text };
    });
  }
}

const none: readonly TagValue[] = [];

interface Place {
  readonly name: string;
  from: number;
  to: number;
  /** How many bytes its quotes have. */
  quote: 0 | 1;
}

/** Of the original is held back until it is known what takes its place, in bytes. */
export const mostHeld = 65_536;
