import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, type Bytes, type Milliseconds } from '../../../config/units.js';
import type { Clock } from '../../base/clock.js';

export interface PacerOptions {
  /** Most bytes in a second. */
  readonly rate: Bytes;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Fulfilled after that time, or once the signal is given. */
  readonly pause?: (time: Milliseconds, signal: AbortSignal) => Promise<void>;
}

/** Shorter pauses are saved up: timers are not that exact. */
const shortestPause = 20;
/** What was not used of a time longer than this is not made up for. */
const mostSaved = 1000;

/** Holds work back so that it takes no more than so many bytes a second. */
export class Pacer {
  readonly #options: PacerOptions;
  /** By how many milliseconds the work is ahead of its time; below 0: behind. */
  #ahead = 0;
  #since: number;

  constructor(options: PacerOptions) {
    this.#options = options;
    this.#since = options.clock.monotonic();
  }

  /** So much was done. Waits if that was too fast. */
  async passed(size: Bytes, signal: AbortSignal): Promise<void> {
    const { rate, clock, pause = pauseFor } = this.#options;
    const now = clock.monotonic();
    this.#ahead = Math.max(-mostSaved, this.#ahead - Math.max(0, now - this.#since)) + (size * 1000) / rate;
    this.#since = now;
    if (this.#ahead < shortestPause || signal.aborted) return;
    await pause(milliseconds(this.#ahead), signal);
    // what the pause took beyond that is found by the next look at the clock
    this.#since = now + this.#ahead;
    this.#ahead = 0;
  }
}

const pauseFor = (time: Milliseconds, signal: AbortSignal): Promise<void> =>
  sleep(time, undefined, { signal }).catch(() => undefined);
