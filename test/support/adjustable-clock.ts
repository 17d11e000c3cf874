import { epochMs, monotonicMs, type EpochMs, type MonotonicMs } from '../../config/units.js';
import { RunningClock } from './running-clock.js';

/** The clock of the machine, which can be stopped, and put forward as if time had passed. */
export class AdjustableClock extends RunningClock {
  #ahead = 0;
  #stoppedAt: { readonly wall: EpochMs; readonly monotonic: MonotonicMs } | null = null;

  override now(): EpochMs {
    return this.#stoppedAt?.wall ?? epochMs(super.now() + this.#ahead);
  }

  override monotonic(): MonotonicMs {
    return this.#stoppedAt?.monotonic ?? monotonicMs(super.monotonic() + this.#ahead);
  }

  override advance(milliseconds: number): void {
    this.#ahead += milliseconds;
  }

  /** Time stands still until `goOn`. */
  halt(): void {
    this.#stoppedAt = { wall: this.now(), monotonic: this.monotonic() };
  }

  /** From what it is by now. */
  goOn(): void {
    this.#stoppedAt = null;
  }
}
