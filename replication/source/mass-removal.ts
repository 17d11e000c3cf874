import { elapsedMonotonic, milliseconds, type Milliseconds, type MonotonicMs } from '../../config/units.js';

/** So many removals within this time count together: a directory is emptied file by file. */
const window: Milliseconds = milliseconds(10 * 60_000);
const share = 0.2;
const fewest = 100;

interface Removals {
  readonly at: MonotonicMs;
  readonly count: number;
}

/**
 * Whether so many removals look like an accident: more than a fifth of all documents and more than a hundred, within ten
 * minutes. Such removals wait for the operator.
 */
export class MassRemoval {
  #recent: Removals[] = [];
  #allowed = false;

  /** @param published how many documents there are before */
  isSuspect(removals: number, published: number, now: MonotonicMs): boolean {
    this.#recent = this.#recent.filter(({ at }) => elapsedMonotonic(at, now) < window);
    const before = this.#recent.reduce((sum, { count }) => sum + count, 0);
    const total = before + removals;
    return !this.#allowed && removals > 0 && total > fewest && total > share * (published + before);
  }

  /** So many were removed. */
  count(removals: number, now: MonotonicMs): void {
    if (removals === 0) return;
    const last = this.#recent.at(-1);
    // one entry a second at most
    if (last !== undefined && elapsedMonotonic(last.at, now) < 1000) {
      this.#recent[this.#recent.length - 1] = { at: last.at, count: last.count + removals };
    } else this.#recent.push({ at: now, count: removals });
  }

  /** The operator says that they are meant; for what is missing now. */
  allow(): void {
    this.#allowed = true;
  }

  get isAllowed(): boolean {
    return this.#allowed;
  }

  /** All that was allowed has been removed. */
  done(): void {
    if (this.#allowed) this.#recent = [];
    this.#allowed = false;
  }
}
