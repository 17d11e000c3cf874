import { bytes, monotonicMs, type Bytes, type Milliseconds, type MonotonicMs } from '../../config/units.js';

/**
 * Whether what is waited for moves fast enough on average, by looks at it now and then. Only time for which it was
 * waited for at one look and at the next counts, so that whoever is held back by this side is not taken for slow. Once
 * a window's worth of such time has gathered, the bytes that have moved since its beginning are compared with what the
 * rate asks for, and the next window begins.
 */
export class BodyRate {
  #subject: object | null = null;
  #waiting = false;
  #lookedAt: MonotonicMs = monotonicMs(0);
  #waited = 0;
  #movedBefore: Bytes = bytes(0);

  /**
   * @param subject what moves, by identity; null if nothing does. Another one begins a window of its own
   * @param moved a count that only grows
   * @returns whether a window has ended in which too little moved
   */
  isTooSlow(
    subject: object | null,
    waiting: boolean,
    moved: Bytes,
    now: MonotonicMs,
    limit: { readonly bodyRate: Bytes; readonly bodyTimeout: Milliseconds },
  ): boolean {
    if (subject !== this.#subject) this.#beginWindow(moved);
    else if (waiting && this.#waiting) this.#waited += now - this.#lookedAt;
    this.#subject = subject;
    this.#waiting = waiting;
    this.#lookedAt = now;
    if (this.#waited < limit.bodyTimeout) return false;
    const tooSlow = moved - this.#movedBefore < (limit.bodyRate * limit.bodyTimeout) / 1000;
    this.#beginWindow(moved);
    return tooSlow;
  }

  #beginWindow(moved: Bytes): void {
    this.#waited = 0;
    this.#movedBefore = moved;
  }
}
