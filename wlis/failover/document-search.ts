import { elapsedMonotonic, type MonotonicMs } from '../../config/units.js';
import type { Cancellation } from '../../proxy/base/cancellation.js';
import type { Ranked } from '../choice/choice.js';
import type { Namespace } from '../namespace.js';
import { compareVersions, type Version } from '../trust/epoch.js';
import type { Head } from '../trust/head.js';
import type { AskedDocument } from './asked-document.js';
import type { FailoverParts } from './failover-parts.js';
import { exchangeRaw, type Shown } from './raw-exchange.js';
import { faultOf, isFailure, Overtaken, SourceFailed } from './source-failed.js';
import { staggered, type Entrant } from './staggered.js';
import type { Turn } from './turn.js';

/**
 * Finds what is proven of a URI, at one node after the other, and begins to get its content there. A head that has not expired
 * is preferred; where nobody has one, the newest of the others serves for the grace of the namespace (protocol decision 1).
 */
export class DocumentSearch {
  readonly #parts: FailoverParts;
  readonly #silence: Silences;

  constructor(parts: FailoverParts) {
    this.#parts = parts;
    this.#silence = new Silences();
  }

  /**
   * @returns null if nobody who was asked has anything to show
   * @throws the reason of the cancellation
   */
  async find(asked: AskedDocument, turn: Turn, cancellation: Cancellation): Promise<Shown | null> {
    const { pace, floors } = this.#parts;
    pace.begin();
    const fallback: { shown: Shown | null } = { shown: null };
    const judge = (shown: Shown): Shown => {
      const because = this.#objection(asked, shown);
      if (because === null) return shown;
      shown.raw?.answer.leave();
      if (because === EXPIRED && isBetter(shown, fallback.shown)) fallback.shown = { ...shown, raw: null };
      throw new SourceFailed(null, because);
    };
    const found = await staggered<Shown>({
      next: () => this.#entrant(asked, turn, judge),
      release: ({ raw }) => raw?.answer.leave(new Overtaken(false)),
      cancellation,
    });
    if (found === null && fallback.shown !== null)
      this.#silence.note(asked.known.namespace, this.#parts.clock.monotonic());
    const shown = found ?? fallback.shown;
    if (shown !== null) floors.raise(asked.uri, shown.document.proven);
    return shown;
  }

  #entrant(asked: AskedDocument, turn: Turn, judge: (shown: Shown) => Shown): Entrant<Shown> | null {
    const { pace, settings, metrics, strangers } = this.#parts;
    const ranked = turn.next();
    if (ranked === null) return null;
    const { url } = ranked.candidate;
    return {
      lead: pace.leadFor(url, settings()),
      onLead: ({ isLate }) => {
        if (isLate) return;
        pace.hedge();
        metrics.hedged.add();
      },
      begin: async (cancellation) => {
        try {
          strangers.refuse(asked.known.namespace, url);
          const shown = await exchangeRaw(this.#parts, asked, ranked, cancellation);
          strangers.met(asked.known.namespace, url);
          return judge(shown);
        } catch (error) {
          if (isFailure(error)) strangers.failed(asked.known.namespace, url);
          this.#note(error, ranked, turn);
          throw error;
        }
      },
    };
  }

  #note(error: unknown, { candidate: { url } }: Ranked, turn: Turn): void {
    if (error instanceof Overtaken) {
      if (error.isLate) turn.failed(url, 'slow', 'fault');
      return;
    }
    if (!(error instanceof SourceFailed)) {
      this.#parts.logger.error({ code: 'wlis-failover', url, error }, 'a node could not be asked');
      turn.failed(url, 'it could not be asked', 'fault');
      return;
    }
    this.#parts.metrics.failed(error.reason);
    turn.failed(url, error.message, faultOf(error));
  }

  /** Why something true is not used, at least not yet. */
  #objection({ known }: AskedDocument, { document, age, isCurrent }: Shown): string | null {
    const { consistency } = known.group.group.policy;
    const { namespace, head } = known;
    if (consistency.mode === 'bounded' && age !== null && age >= consistency.bound) {
      return `confirmed ${age} ms ago`;
    }
    if (isCurrent) return null;
    const own = document.proven.head;
    if (!this.#mayServeExpired(known.group.group.policy, own)) return 'its head has expired';
    // nobody had a better one a moment ago
    const isNewest = head === null || compareVersions(own, head.head) >= 0;
    return isNewest && this.#silence.isRecent(namespace, this.#parts.clock.monotonic()) ? null : EXPIRED;
  }

  #mayServeExpired(
    { consistency, grace }: AskedDocument['known']['group']['group']['policy'],
    { expires }: Head,
  ): boolean {
    return consistency.mode === 'eventual' && this.#parts.now() < expires + grace;
  }
}

const EXPIRED = 'its head has expired, and others may have a newer one';

const isBetter = ({ document: { proven } }: Shown, than: Shown | null): boolean =>
  than === null || compareIssued(proven.head, than.document.proven.head) > 0;

const compareIssued = (a: Version & Pick<Head, 'issued'>, b: typeof a): number =>
  compareVersions(a, b) || a.issued - b.issued;

/** The namespaces of which nobody had a head that has not expired, and when that was found out. */
class Silences {
  readonly #at = new Map<Namespace, MonotonicMs>();

  note(namespace: Namespace, now: MonotonicMs): void {
    if (this.#at.size >= mostSilences) this.#at.clear();
    this.#at.set(namespace, now);
  }

  isRecent(namespace: Namespace, now: MonotonicMs): boolean {
    const at = this.#at.get(namespace);
    return at !== undefined && elapsedMonotonic(at, now) < recent;
  }
}

const recent = 5000;
const mostSilences = 10_000;
