import { elapsedMonotonic, milliseconds, type Milliseconds, type MonotonicMs } from '../../config/units.js';

/**
 * How long a node takes to begin an answer: the recent value follows what is worse fast and what is better slowly, so that
 * one that has become slow is left at once; without news it goes back to what was usual, so that it is found again.
 */
export class ObservedLatency {
  #usual: Milliseconds | null;
  #recent: Milliseconds | null = null;
  #measured: MonotonicMs | null = null;
  #count: number;

  /** @param usual what was so in an earlier life of this node */
  constructor(usual: Milliseconds | null = null) {
    this.#usual = usual;
    this.#count = usual === null ? 0 : remembered;
  }

  /** Over many answers, the geometric mean; null before the first. */
  get usual(): Milliseconds | null {
    return this.#usual;
  }

  get measured(): MonotonicMs | null {
    return this.#measured;
  }

  note(sample: Milliseconds, now: MonotonicMs): void {
    const taken = milliseconds(Math.max(shortest, sample));
    const before = this.at(now);
    const passed = this.#measured === null ? Infinity : elapsedMonotonic(this.#measured, now);
    this.#recent = before === null ? taken : moved(before, taken, passed);
    this.#measured = now;
    this.#count = Math.min(this.#count + 1, longestMemory);
    this.#usual = this.#usual === null ? taken : geometricMean(this.#usual, taken, 1 / this.#count);
  }

  /** What is to be expected now; null if nothing was ever measured. */
  at(now: MonotonicMs): Milliseconds | null {
    const [usual, recent, measured] = [this.#usual, this.#recent, this.#measured];
    if (usual === null || recent === null || measured === null) return usual;
    const passed = Math.max(0, elapsedMonotonic(measured, now));
    if (passed > longForgotten) return usual;
    const kept = Math.exp(-passed / forgetting);
    return geometricMean(usual, recent, kept);
  }
}

/** @param passed since the last sample: the rarer they are, the more one of them counts */
function moved(before: Milliseconds, sample: Milliseconds, passed: number): Milliseconds {
  const share = sample > before ? upwards : Math.max(leastShare, 1 - Math.exp(-passed / downwards));
  return milliseconds(before + (sample - before) * share);
}

const geometricMean = (a: Milliseconds, b: Milliseconds, shareOfB: number): Milliseconds =>
  milliseconds(Math.exp(Math.log(a) * (1 - shareOfB) + Math.log(b) * shareOfB));

/** Less is not told apart. */
const shortest = 0.1;
/** What a worse sample counts at once. */
const upwards = 0.3;
/** In which time better ones count for two thirds, in milliseconds. */
const downwards = 5000;
const leastShare = 0.02;
/** In which time without any the recent ones are forgotten for two thirds. */
const forgetting = 10_000;
const longForgotten = 20 * forgetting;
const longestMemory = 256;
/** As many samples as what was remembered counts for. */
const remembered = 64;
