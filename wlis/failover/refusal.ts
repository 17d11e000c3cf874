import { elapsedMonotonic, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { CanonicalUri } from '../canonical-uri.js';
import type { FailoverMetrics } from './failover-metrics.js';

export interface Refused {
  readonly url: string;
  readonly uri: CanonicalUri;
  /** A word for metrics: that of a NotBelieved, or `contradiction`, `wrong-range`, `wrong-age`. */
  readonly reason: string;
  readonly detail: string;
  /** Whether it was the node itself that has sent it. */
  readonly isBlamed: boolean;
}

export interface RefusalsParts {
  readonly metrics: FailoverMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Names those who send what cannot be true, in log and metrics. */
export class Refusals {
  /** When a node was last named for that. */
  readonly #named = new Map<string, MonotonicMs>();

  constructor(private readonly parts: RefusalsParts) {}

  report(refused: Refused): void {
    const { metrics, logger, clock } = this.parts;
    const { reason, url } = refused;
    metrics.refused.of(reason, url).add();
    const now = clock.monotonic();
    const key = `${reason} ${url}`;
    const last = this.#named.get(key);
    // a liar that is asked again and again does not fill the log
    if (last !== undefined && elapsedMonotonic(last, now) < again) return;
    if (this.#named.size >= mostNamed) this.#named.clear();
    this.#named.set(key, now);
    logger.warn({ code: 'wlis-refused', ...refused }, 'what a node sent cannot be true, and is used by nobody');
  }
}

const again = 10_000;
const mostNamed = 1000;
