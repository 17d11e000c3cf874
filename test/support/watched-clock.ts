import type { MonotonicMs } from '../../config/units.js';
import { FakeClock } from './fake-clock.js';

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
    const before = this.#readings;
    while (this.#readings < before + 2) await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
