import type { CanonicalUri } from '../canonical-uri.js';
import type { FailoverParts } from './failover-parts.js';

export interface Refused {
  readonly url: string;
  readonly uri: CanonicalUri;
  /** A word for metrics: that of a NotBelieved, or `contradiction`, `wrong-range`, `unproven`, … */
  readonly reason: string;
  readonly detail: string;
  /** Whether it was the node itself that has sent it. */
  readonly isBlamed: boolean;
}

/** Somebody sent what cannot be true: it is named in log and metrics. */
export function reportRefused({ metrics, logger }: Pick<FailoverParts, 'metrics' | 'logger'>, refused: Refused): void {
  metrics.refused.of(refused.reason, refused.url).add();
  logger.warn({ code: 'wlis-refused', ...refused }, 'what a node sent cannot be true, and is used by nobody');
}
