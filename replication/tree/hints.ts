import { milliseconds, monotonicMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { ToldHead } from '../../wlis/calls/head-field.js';
import type { Version } from '../../wlis/trust/epoch.js';
import { WakeTimer } from '../source/wake-timer.js';
import { claimedHead, wouldBeNews, type HeadClaim } from './claimed-head.js';

export interface HintsOptions {
  /** The newest head that is believed, be it held or not yet. */
  readonly known: () => HeadClaim | null;
  /**
   * There may be news: a head that is to be verified; or null, and somebody above is to be asked for the newest one. At most
   * so often, whatever comes in.
   */
  readonly onHint: (told: ToldHead | null) => void;
  readonly clock: Clock;
}

/**
 * Notifications as they come in, from whomever. What would be no news costs next to nothing; heads are looked at as long as
 * there are few; in a flood somebody above is asked for the newest one, at once and then once a second, so that no flood of
 * false ones hides a true one (protocol decision 19).
 */
export class Hints {
  readonly #options: HintsOptions;
  readonly #timer: WakeTimer;
  #credit = burst;
  #creditAt: MonotonicMs;
  #askedAt: MonotonicMs = monotonicMs(-Infinity);
  #isWaiting = false;
  #lookedAt = '';

  /** Notifications that came in. */
  received = 0;

  constructor(options: HintsOptions) {
    this.#options = options;
    this.#creditAt = options.clock.monotonic();
    this.#timer = new WakeTimer(options.clock, () => this.look());
  }

  start(): void {
    this.#timer.start();
  }

  /** Idempotent. */
  stop(): void {
    this.#timer.stop();
    this.#isWaiting = false;
  }

  /**
   * Somebody says that a namespace has changed.
   * @param stated the version that is spoken of; null if none is
   * @param told the head that came along, null if none did
   */
  take(stated: HeadClaim | null, told: ToldHead | null): void {
    this.received++;
    const claim = told === null ? stated : claimedHead(told.jws);
    if (claim !== null && !wouldBeNews(claim, this.#options.known())) return;
    if (told === null) {
      this.#ask();
      return;
    }
    // what is no head at all, or was looked at a moment ago, says nothing
    if (claim === null || told.jws === this.#lookedAt) return;
    if (!this.#spend()) {
      this.#ask();
      return;
    }
    this.#lookedAt = told.jws;
    this.#options.onHint(told);
  }

  /** A client knows of a version: somebody above is asked for it, if it would be news. */
  seek({ epoch, seq }: Version): void {
    if (wouldBeNews({ epoch, seq, issued: null }, this.#options.known())) this.#ask();
  }

  /** Does what has become due. The timer calls it. */
  look(): void {
    if (this.#isWaiting) this.#ask();
  }

  #ask(): void {
    const now = this.#options.clock.monotonic();
    const wait = this.#askedAt + askEvery - now;
    this.#isWaiting = wait > 0;
    if (this.#isWaiting) {
      this.#timer.in(milliseconds(wait));
      return;
    }
    this.#askedAt = now;
    this.#options.onHint(null);
  }

  #spend(): boolean {
    const now = this.#options.clock.monotonic();
    this.#credit = Math.min(burst, this.#credit + ((now - this.#creditAt) / 1000) * perSecond);
    this.#creditAt = now;
    if (this.#credit < 1) return false;
    this.#credit--;
    return true;
  }
}

/** Heads that are looked at. */
const burst = 32;
const perSecond = 16;
const askEvery: Milliseconds = milliseconds(1000);
