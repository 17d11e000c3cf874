import { elapsedMonotonic, milliseconds, seconds, toSeconds, type Seconds } from '../../config/units.js';
import type { Clock } from './clock.js';
import { Histogram } from './histogram.js';

const interval = milliseconds(50);

const bounds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5].map(seconds);

/**
 * By how much a timer comes late, which is how long what waits for the event loop has to wait. A look twenty times a
 * second: what holds the loop up for longer than that is never missed.
 */
export class EventLoopDelay {
  readonly histogram = new Histogram(bounds);
  readonly #timer: NodeJS.Timeout;

  constructor(clock: Clock) {
    let last = clock.monotonic();
    this.#timer = setInterval(() => {
      const now = clock.monotonic();
      this.histogram.observe(lateness(toSeconds(milliseconds(elapsedMonotonic(last, now) - interval))));
      last = now;
    }, interval).unref();
  }

  /** Idempotent. */
  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Timers are exact to a millisecond, in either direction. */
const lateness = (time: Seconds): Seconds => seconds(Math.max(0, time));
