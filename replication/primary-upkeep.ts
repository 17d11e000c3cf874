import { elapsedMonotonic, epochMs, milliseconds, type Milliseconds, type MonotonicMs } from '../config/units.js';
import type { Clock } from '../proxy/base/clock.js';
import type { Logger } from '../proxy/base/logger.js';
import type { Namespace } from '../wlis/namespace.js';
import type { EditionKeeper } from './edition-keeper.js';
import type { Publication } from './publication.js';
import { WakeTimer } from './source/wake-timer.js';

export interface PrimaryUpkeepParts {
  readonly namespace: Namespace;
  readonly publication: Publication;
  readonly keeper: EditionKeeper;
  readonly heartbeat: Milliseconds;
  readonly keepRemovals: Milliseconds;
  readonly clock: Clock;
  readonly logger: Logger;
}

const aDay = milliseconds(86_400_000);
/** How soon it is tried again to sign. */
const retry = milliseconds(10_000);

/** What a primary does without being asked: new heads, and forgetting old removals. */
export class PrimaryUpkeep {
  readonly #parts: PrimaryUpkeepParts;
  readonly #timer: WakeTimer;
  #forgotAt: MonotonicMs | null = null;
  #work: Promise<void> = Promise.resolve();

  constructor(parts: PrimaryUpkeepParts) {
    this.#parts = parts;
    this.#timer = new WakeTimer(parts.clock, () => void this.wake());
  }

  start(): void {
    this.#timer.start();
    void this.wake();
  }

  /** Does what is due at this time. */
  wake(): Promise<void> {
    this.#work = this.#work.then(() => this.#do());
    return this.#work;
  }

  /** Waits for what was begun. Idempotent. */
  async stop(): Promise<void> {
    this.#timer.stop();
    await this.#work;
  }

  async #do(): Promise<void> {
    const { keeper, clock } = this.#parts;
    const now = clock.monotonic();
    if (keeper.isBegun && this.#untilHead(now) <= 0) {
      await keeper.renew();
    }
    if (this.#forgotAt === null || elapsedMonotonic(this.#forgotAt, now) >= aDay) {
      this.#forgotAt = now;
      await this.#forget();
    }
    this.#timer.in(milliseconds(Math.max(1, this.#untilHead(clock.monotonic()))));
  }

  #untilHead(now: MonotonicMs): number {
    const { keeper, heartbeat } = this.#parts;
    if (keeper.triedAt === null) return keeper.isBegun ? 0 : heartbeat;
    const wait = keeper.problem === null ? heartbeat : Math.min(retry, heartbeat);
    return wait - elapsedMonotonic(keeper.triedAt, now);
  }

  async #forget(): Promise<void> {
    const { publication, keeper, clock, keepRemovals, namespace, logger } = this.#parts;
    const before = epochMs(clock.now() - keepRemovals);
    try {
      const count = await publication.forgetRemovals(before);
      keeper.forgetRemovals(before);
      if (count > 0) logger.info({ code: 'removals-forgotten', namespace, count }, 'old removals are forgotten');
    } catch (error) {
      const event = { code: 'removals-not-forgotten', namespace, error };
      logger.warn(event, 'that old removals are forgotten could not be written down; it is tried again tomorrow');
    }
  }
}
