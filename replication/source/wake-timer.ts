import { clearTimeout, setTimeout } from 'node:timers';
import { milliseconds, monotonicMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';

const longestWait = milliseconds(3_600_000);

/** Calls once, at the soonest of the times that were asked for since the last call. Keeps no process alive. */
export class WakeTimer {
  readonly #clock: Clock;
  readonly #onWake: () => void;
  #timer: NodeJS.Timeout | null = null;
  #at: MonotonicMs = monotonicMs(0);
  #isOn = false;

  constructor(clock: Clock, onWake: () => void) {
    this.#clock = clock;
    this.#onWake = onWake;
  }

  /** Before that nothing is called. */
  start(): void {
    this.#isOn = true;
  }

  /** Idempotent. */
  stop(): void {
    this.#isOn = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  in(wait: Milliseconds): void {
    if (!this.#isOn) return;
    const delay = Math.min(Math.max(1, wait), longestWait);
    const at = monotonicMs(this.#clock.monotonic() + delay);
    if (this.#timer !== null && this.#at <= at) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#onWake();
    }, delay).unref();
  }
}
