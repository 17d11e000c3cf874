import type { EpochMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Upstream } from '../../proxy/forward/upstream.js';
import type { Chooser } from '../choice/choice.js';
import type { Attempts } from '../health/attempts.js';
import type { Whereabouts } from '../health/positions.js';
import type { Namespace } from '../namespace.js';
import type { BlockLists } from './block-lists.js';
import type { FailoverMetrics } from './failover-metrics.js';
import type { FailoverSettings } from './failover-settings.js';
import type { Floors } from './floors.js';
import type { Latencies } from './latencies.js';
import type { NodeRequests } from './node-requests.js';
import type { Pace } from './pace.js';
import type { ProofCheck } from './proof-check.js';
import type { Refusals } from './refusal.js';
import type { Strangers } from './strangers.js';

/** What documents are got with. What it remembers outlives a configuration. */
export interface FailoverParts {
  /** The way to nodes of a namespace. */
  readonly upstreamFor: (namespace: Namespace) => Upstream;
  readonly chooser: Chooser;
  readonly attempts: Attempts;
  /** Is told how far nodes are; null if nobody wants to know. */
  readonly positions: Whereabouts | null;
  readonly requests: NodeRequests;
  readonly proofs: ProofCheck;
  readonly floors: Floors;
  readonly lists: BlockLists;
  readonly latencies: Latencies;
  readonly pace: Pace;
  readonly settings: () => FailoverSettings;
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly logger: Logger;
  readonly metrics: FailoverMetrics;
  readonly refusals: Refusals;
  readonly strangers: Strangers;
}
