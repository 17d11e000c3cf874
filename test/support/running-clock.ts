import { epochMs, monotonicMs, type EpochMs, type MonotonicMs } from '../../config/units.js';
import { systemClock } from '../../proxy/base/clock.js';
import { FakeClock } from './fake-clock.js';

/** The clock of the machine, set wrong by so many milliseconds: for nodes that have to go on by themselves. */
export class RunningClock extends FakeClock {
  #offset: number;
  #passed = 0;

  constructor(offset = 0) {
    super();
    this.#offset = offset;
  }

  override now(): EpochMs {
    return epochMs(systemClock.now() + this.#offset);
  }

  override monotonic(): MonotonicMs {
    return monotonicMs(systemClock.monotonic() + this.#passed);
  }

  /** So much time is over at once. Timers know nothing of that. */
  override advance(milliseconds: number): void {
    this.#offset += milliseconds;
    this.#passed += milliseconds;
  }

  override step(milliseconds: number): void {
    this.#offset += milliseconds;
  }
}
