import { bytes, elapsedMonotonic, type Bytes, type MonotonicMs } from '../../config/units.js';

/** What long answers of a node bring in a second, in the mean of the recent ones. */
export class ObservedBandwidth {
  #mean: Bytes | null;
  #measured: MonotonicMs | null = null;

  /** @param mean what was so in an earlier life of this node */
  constructor(mean: Bytes | null = null) {
    this.#mean = mean;
  }

  get mean(): Bytes | null {
    return this.#mean;
  }

  get measured(): MonotonicMs | null {
    return this.#measured;
  }

  /** @param isLeast whether the reader was slower than the node: then it can do more than that */
  note(sample: Bytes, isLeast: boolean, now: MonotonicMs): void {
    if (!isLeast) this.#measured = now;
    if (this.#mean === null) this.#mean = sample;
    else if (!isLeast || sample > this.#mean)
      this.#mean = bytes(Math.round(this.#mean + (sample - this.#mean) * share));
  }
}

/** Measures the content of one answer. */
export class ContentMeasure {
  readonly #of: ObservedBandwidth;
  #total = 0;
  /** Of the part of the content that is being measured. */
  #since: MonotonicMs;
  #bytes = 0;
  #waited = 0;
  #waitsSince: MonotonicMs;

  /** @param now when the head of the answer was there */
  constructor(of: ObservedBandwidth, now: MonotonicMs) {
    this.#of = of;
    this.#since = now;
    this.#waitsSince = now;
  }

  waits(now: MonotonicMs): void {
    this.#waitsSince = now;
  }

  received(size: Bytes, now: MonotonicMs): void {
    const isWithHead = this.#total === 0 && elapsedMonotonic(this.#since, now) < 1;
    this.#total += size;
    // what came together with the head says nothing about how fast the rest will come
    if (isWithHead) this.#since = now;
    else this.#count(size, now);
    this.#waitsSince = now;
  }

  /** There is no more of it. */
  end(now: MonotonicMs): void {
    this.#take(elapsedMonotonic(this.#since, now), now);
  }

  #count(size: Bytes, now: MonotonicMs): void {
    this.#bytes += size;
    this.#waited += elapsedMonotonic(this.#waitsSince, now);
    const passed = elapsedMonotonic(this.#since, now);
    if (passed < longestPart) return;
    this.#take(passed, now);
    [this.#since, this.#bytes, this.#waited] = [now, 0, 0];
  }

  #take(passed: number, now: MonotonicMs): void {
    if (this.#total < shortest || this.#bytes < shortest / 4 || passed <= 0) return;
    this.#of.note(bytes(Math.round((this.#bytes * 1000) / passed)), this.#waited < passed / 2, now);
  }
}

/** Of the latest sample. */
const share = 0.3;
/** Shorter contents are over before there is anything to measure. */
const shortest = 65_536;
/** So often a content that takes long is looked at, in milliseconds. */
const longestPart = 500;
