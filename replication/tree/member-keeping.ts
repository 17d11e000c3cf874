import type { Clock } from '../../proxy/base/clock.js';
import type { KeyId } from '../../wlis/trust/public-key.js';
import { elapsedMonotonic, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { MemberLog } from './member-log.js';
import type { MemberLine } from './stored-member.js';

/** What the log of members does not know yet, and its getting there: what can wait, together with other things. */
export class MemberKeeping {
  readonly #log: MemberLog;
  readonly #clock: Clock;
  readonly #lineOf: (id: KeyId) => MemberLine;
  readonly #unkept = new Set<KeyId>();
  #keptAt: MonotonicMs;
  #keeping: Promise<void> = Promise.resolve();

  constructor(log: MemberLog, clock: Clock, lineOf: (id: KeyId) => MemberLine) {
    this.#log = log;
    this.#clock = clock;
    this.#lineOf = lineOf;
    this.#keptAt = clock.monotonic();
  }

  changed(id: KeyId): void {
    this.#unkept.add(id);
  }

  /** Whether something has waited that long. */
  isDue(after: Milliseconds): boolean {
    return this.#unkept.size > 0 && elapsedMonotonic(this.#keptAt, this.#clock.monotonic()) >= after;
  }

  /** Fulfilled when all that has changed so far cannot be lost. What fails is tried again with the next. */
  keep(): Promise<void> {
    const kept = this.#keeping.then(() => this.#keepAll());
    this.#keeping = kept.catch(() => undefined);
    return kept;
  }

  async #keepAll(): Promise<void> {
    const ids = [...this.#unkept];
    this.#unkept.clear();
    this.#keptAt = this.#clock.monotonic();
    try {
      await this.#log.keep(ids.map(this.#lineOf));
    } catch (error) {
      for (const id of ids) this.#unkept.add(id);
      throw error;
    }
  }
}
