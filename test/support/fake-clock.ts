import { epochMs, monotonicMs, type EpochMs, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #wall: number;
  #monotonic = 0;

  /** @param start ISO 8601 form of the first reading */
  constructor(start = '2026-01-01T00:00:00Z') {
    this.#wall = Date.parse(start);
  }

  now(): EpochMs {
    return epochMs(this.#wall);
  }

  monotonic(): MonotonicMs {
    return monotonicMs(this.#monotonic);
  }

  /** Time passes: both readings go on. */
  advance(milliseconds: number): void {
    if (milliseconds < 0) throw new RangeError('time does not go backwards; use step');
    this.#wall += milliseconds;
    this.#monotonic += milliseconds;
  }

  /** Somebody sets the wall clock, forward or back; no time passes. */
  step(milliseconds: number): void {
    this.#wall += milliseconds;
  }

  /** The IMF-fixdate (RFC 9110 §5.6.7) of that many seconds from now, for a `Date`, `Expires` or `Last-Modified`. */
  httpDate(secondsFromNow = 0): string {
    return new Date(this.#wall + secondsFromNow * 1000).toUTCString();
  }
}
