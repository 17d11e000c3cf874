import { elapsedMonotonic, milliseconds, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import type { Head } from '../../wlis/trust/head.js';
import type { CorrectedTime } from '../../wlis/corrected-time.js';
import type { HeadAnswer } from '../remote-holder.js';
import { AgeOfHead } from './age-of-head.js';

export interface TimeOfPrimaryOptions {
  readonly namespace: Namespace;
  readonly time: CorrectedTime;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A clock that differs by more is said to be wrong. */
const tolerance = milliseconds(5 * 60_000);

/** What answers tell of the time at the primary: how old the head is, and how far the clock of this node is off (decisions 14, 23). */
export class TimeOfPrimary {
  readonly #options: TimeOfPrimaryOptions;
  readonly #age: AgeOfHead;
  #isClockWrong = false;
  /** The head of the last answer, and since when it has been known. */
  #known: { readonly jws: string; readonly since: MonotonicMs } | null = null;

  /** @param held the head that was held when the node was stopped */
  constructor(options: TimeOfPrimaryOptions, held: Head | null) {
    this.#options = options;
    const { clock } = options;
    this.#age = new AgeOfHead(clock, milliseconds(held === null ? 0 : Math.max(0, clock.now() - held.issued)));
  }

  /** Since the primary published the head of the last answer, as it was handed down. */
  get confirmedAge(): Milliseconds {
    return this.#age.value;
  }

  /** @param began when it was asked for; with the whole round trip, for nobody knows when in it the answer was made */
  note({ age, head: { head, jws } }: HeadAnswer, began: MonotonicMs): void {
    const { namespace, clock, time, logger } = this.#options;
    const now = clock.monotonic();
    if (this.#known?.jws !== jws) this.#known = { jws, since: now };
    // whoever says the same again and again cannot make time stand still
    const least = elapsedMonotonic(this.#known.since, now);
    const confirmed = milliseconds(Math.max(age + elapsedMonotonic(began, now), least));
    this.#age.set(confirmed);
    const offset = milliseconds(head.issued + confirmed - clock.now());
    time.note(namespace, offset);
    const isWrong = Math.abs(offset) > tolerance;
    if (isWrong && !this.#isClockWrong) {
      const seconds = Math.round(Math.abs(offset) / 1000);
      const text = `the clock of this node is ${seconds} s ${offset > 0 ? 'behind' : 'ahead of'} that of the primary`;
      logger.warn({ code: 'clock-differs', namespace, offset: Math.round(offset) }, text);
    }
    this.#isClockWrong = isWrong;
  }
}
