import { bytes, type Bytes } from '../../../config/units.js';
import type { CacheKey } from '../cache-key.js';
import type { DiskIndex } from './disk-index.js';
import { sequenceOfUse, usesFrom } from './index-keys.js';

/** A key whose turn to be evicted may have come. */
export interface Candidate {
  readonly list: string;
  readonly use: number;
  readonly size: Bytes;
  readonly key: CacheKey;
}

/** So many are read ahead. */
const readAhead = 256;

/** Goes through a list of uses, from the one that is longest ago; never back, but to what was put behind it. */
export class UseWalk {
  /** What was read, the longest unused last. */
  #ahead: Candidate[] = [];
  #next = 0;
  #reading: Promise<void> | null = null;

  constructor(
    private readonly index: DiskIndex,
    private readonly list: string,
  ) {}

  /** The one that comes next, which stays so until it is taken; null if there is none. */
  async head(): Promise<Candidate | null> {
    if (this.#ahead.length === 0) await (this.#reading ??= this.#read().finally(() => (this.#reading = null)));
    return this.#ahead.at(-1) ?? null;
  }

  /** Takes one that `head` has given. */
  take(candidate: Candidate): void {
    if (this.#ahead.at(-1) === candidate) this.#ahead.pop();
  }

  /** It was taken, and stays. */
  putBack(candidate: Candidate): void {
    this.#ahead.push(candidate);
  }

  /** There is a use in the list now that may lie behind. */
  includes(use: number): void {
    if (use >= this.#next) return;
    this.#next = use;
    this.#ahead = [];
  }

  /** Behind what was read before: what was passed since is deleted, and level is slow to step over it. */
  async #read(): Promise<void> {
    const read: Candidate[] = [];
    for await (const [found, value] of this.index.entries({ ...usesFrom(this.#next, this.list), most: readAhead })) {
      const text = value.toString();
      const space = text.indexOf(' ');
      const [size, key] = [bytes(Number(text.slice(0, space))), text.slice(space + 1) as CacheKey];
      read.push({ list: this.list, use: sequenceOfUse(found), size, key });
    }
    this.#next = Math.max(this.#next, (read.at(-1)?.use ?? -1) + 1);
    this.#ahead = [...this.#ahead, ...read.reverse()];
  }
}
