import type { MonotonicMs } from '../../config/units.js';
import { FakeClock } from './fake-clock.js';
import { until } from './waiting.js';

/** Tells how often it was read, as a server does whenever it looks at its connections for what is late. */
export class WatchedClock extends FakeClock {
  #readings = 0;

  override monotonic(): MonotonicMs {
    this.#readings++;
    return super.monotonic();
  }

  /** A second passes, and whoever looks at the clock now and then has done so. */
  async second(): Promise<void> {
    this.advance(1000);
    await this.looked();
  }

  /** Whoever looks at the clock now and then has done so. */
  async looked(): Promise<void> {
    const before = this.#readings;
    await until(() => this.#readings >= before + 2);
  }
}
