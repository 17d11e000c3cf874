import type { Milliseconds } from '../../config/units.js';
import type { CacheRules } from './cache-rules.js';
import type { FreshnessPolicy } from './freshness.js';

/** What of a cache can be changed while requests are under way. */
export interface CachingSettings {
  /** Its name in `Cache-Status`. */
  readonly name: string;
  /** This node's member of `Via` for a message received in that version. */
  readonly via: (version: string) => string;
  readonly freshness: FreshnessPolicy;
  readonly rules: CacheRules;
  /** How long a request waits for another one's forward. */
  readonly collapseWait: Milliseconds;
}
