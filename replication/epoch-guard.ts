import { elapsedMonotonic, milliseconds, type MonotonicMs } from '../config/units.js';
import type { Clock } from '../proxy/base/clock.js';
import type { Logger } from '../proxy/base/logger.js';
import type { Namespace } from '../wlis/namespace.js';
import { compareEpochs } from '../wlis/trust/epoch.js';
import type { SignedHead } from '../wlis/trust/head.js';
import type { EditionKeeper } from './edition-keeper.js';
import type { HeadSigner } from './head-signer.js';
import type { Publication } from './publication.js';

export interface EpochGuardParts {
  readonly namespace: Namespace;
  readonly publication: Publication;
  readonly keeper: EditionKeeper;
  readonly heads: HeadSigner;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Two primaries with one key would otherwise chase each other. */
const leastBetween = milliseconds(10 * 60_000);

/**
 * Begins a new epoch when others have a head with the signature of this primary that it does not know: its state is one from
 * before that, so that it would give numbers to other changes than it told of (protocol decision 11).
 */
export class EpochGuard {
  readonly #parts: EpochGuardParts;
  #begunAt: MonotonicMs | null = null;
  #isRefusing = false;
  #work: Promise<unknown> = Promise.resolve();

  constructor(parts: EpochGuardParts) {
    this.#parts = parts;
  }

  /**
   * Looks at heads that others have.
   * @param heads verified: signed by the key that signs for the namespace at present
   * @returns whether a new epoch has begun because of them
   */
  meet(heads: readonly SignedHead[]): Promise<boolean> {
    const met = this.#work.then(() => this.#meet(heads));
    this.#work = met.catch(() => undefined);
    return met;
  }

  /** Waits for what was begun. */
  async stop(): Promise<void> {
    await this.#work;
  }

  async #meet(heads: readonly SignedHead[]): Promise<boolean> {
    const { keeper, heads: signer } = this.#parts;
    for (const { head } of heads) await signer.notBefore(head.issued);
    const own = keeper.own;
    // what is published is just being read: nothing has been signed that could be compared
    if (own === null) return false;
    const unknown = heads.filter(({ head }) => !own.knows(head));
    const latest = unknown.reduce<SignedHead | null>(later, null);
    if (latest === null) return false;
    if (this.#isTooSoon()) return this.#refuse(latest);
    await this.#begin(latest);
    return true;
  }

  #isTooSoon(): boolean {
    return this.#begunAt !== null && elapsedMonotonic(this.#begunAt, this.#parts.clock.monotonic()) < leastBetween;
  }

  #refuse({ head: { epoch, seq } }: SignedHead): false {
    const { namespace, logger } = this.#parts;
    if (!this.#isRefusing) {
      const event = { code: 'another-primary', namespace, epoch, seq };
      logger.error(
        event,
        'heads with the key of this primary come from elsewhere again: is there another one that runs?',
      );
    }
    this.#isRefusing = true;
    return false;
  }

  async #begin({ head }: SignedHead): Promise<void> {
    const { namespace, publication, keeper, clock, logger } = this.#parts;
    const before = { epoch: publication.epoch, seq: publication.list.last };
    const epoch = await publication.beginEpoch(head.epoch);
    this.#begunAt = clock.monotonic();
    this.#isRefusing = false;
    keeper.startAgain();
    const event = { code: 'epoch-begun', namespace, epoch, before, found: { epoch: head.epoch, seq: head.seq } };
    const why = 'others have a head of this primary that it does not know, so that it was restored from an older state';
    logger.error(event, `${why}: a new epoch begins with the documents that are here, replicas will compare`);
  }
}

const later = (a: SignedHead | null, b: SignedHead): SignedHead =>
  a === null || compareEpochs(a.head.epoch, b.head.epoch) < 0 ? b : a;
