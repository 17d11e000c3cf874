import { setTimeout as wait } from 'node:timers/promises';
import { milliseconds, monotonicMs, type Milliseconds, type MonotonicMs, type Seconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';

/** Fulfilled after that time, rejected with the reason of the signal. */
export type Wait = (duration: Milliseconds, signal: AbortSignal) => Promise<unknown>;

/** Lets the requests of a walk begin one after the other, no faster than the origin wants them. */
export class DiscoveryPace {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #wait: Wait;
  #between: Milliseconds;
  #next: MonotonicMs = monotonicMs(0);

  constructor(clock: Pick<Clock, 'monotonic'>, between: Milliseconds, waitFor: Wait = waitInTruth) {
    this.#clock = clock;
    this.#between = between;
    this.#wait = waitFor;
  }

  /** What robots.txt says, as far as one can put up with it. */
  atMostEvery(delay: Seconds): void {
    this.#between = milliseconds(Math.max(this.#between, Math.min(longestDelay, delay * 1000)));
  }

  /** The origin wants nothing to be asked for so long. */
  pause(duration: Milliseconds): void {
    const until = this.#clock.monotonic() + Math.min(duration, longestPause);
    this.#next = monotonicMs(Math.max(this.#next, until));
  }

  /** Waits for one's turn. @throws the reason of the signal */
  async turn(signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    const at = Math.max(now, this.#next);
    this.#next = monotonicMs(at + this.#between);
    if (at > now) await this.#wait(milliseconds(at - now), signal);
    signal.throwIfAborted();
  }
}

const waitInTruth: Wait = (duration, signal) => wait(duration, undefined, { signal });

const longestDelay = 30_000;
const longestPause = 300_000;
