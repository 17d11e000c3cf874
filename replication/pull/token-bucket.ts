import { elapsedMonotonic, milliseconds, type Bytes, type Milliseconds, type MonotonicMs } from '../../config/units.js';

/** What was not used of a time longer than this is not made up for. */
const mostSaved = milliseconds(1000);

/**
 * So many bytes a second, those of the last second saved up. Bytes are paid for when they have come: what is not covered is
 * owed, and time has to pass before more may come.
 */
export class TokenBucket {
  #rate: Bytes;
  /** In milliseconds of the rate; below 0: owed. */
  #saved: number = mostSaved;
  #at: MonotonicMs;

  /** @param rate bytes a second, more than 0 */
  constructor(rate: Bytes, now: MonotonicMs) {
    this.#rate = rate;
    this.#at = now;
  }

  /** So many bytes have come. */
  pay(size: Bytes, now: MonotonicMs): void {
    this.#passTo(now);
    this.#saved -= (size * 1000) / this.#rate;
  }

  /** How long it is until nothing is owed; 0 if nothing is. */
  owed(now: MonotonicMs): Milliseconds {
    this.#passTo(now);
    return milliseconds(Math.max(0, -this.#saved));
  }

  /** What is owed or saved up stays the same number of bytes. */
  changeRate(rate: Bytes, now: MonotonicMs): void {
    this.#passTo(now);
    this.#saved = Math.min(mostSaved, (this.#saved * this.#rate) / rate);
    this.#rate = rate;
  }

  #passTo(now: MonotonicMs): void {
    this.#saved = Math.min(mostSaved, this.#saved + Math.max(0, elapsedMonotonic(this.#at, now)));
    this.#at = now;
  }
}
