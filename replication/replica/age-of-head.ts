import { elapsedMonotonic, milliseconds, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';

/**
 * How long ago the primary published the head that is held, as it was handed down: the age that the one above stated, the
 * whole round trip, and the time since (decision 14). No two clocks are compared.
 */
export class AgeOfHead {
  readonly #clock: Clock;
  #age: Milliseconds;
  #since: MonotonicMs;

  /** @param age what is known of it when this node has just been started */
  constructor(clock: Clock, age: Milliseconds) {
    this.#clock = clock;
    this.#age = age;
    this.#since = clock.monotonic();
  }

  get value(): Milliseconds {
    return milliseconds(this.#age + elapsedMonotonic(this.#since, this.#clock.monotonic()));
  }

  /** The head is of that age now. */
  set(age: Milliseconds): void {
    this.#age = age;
    this.#since = this.#clock.monotonic();
  }
}
