import type { EpochMs, Seconds } from '../../config/units.js';
import type { ResponseDirectives } from './cache-control.js';

/** What determines how long a stored response is fresh, computed once when it is stored or freshened. */
export interface Freshness {
  /** RFC 9111 §4.2.1. */
  readonly lifetime: Seconds;
  readonly lifetimeSource: 's-maxage' | 'max-age' | 'expires' | 'heuristic' | 'negative' | 'none';
  /** corrected_initial_age of §4.2.3, at `responseTime`. */
  readonly initialAge: Seconds;
  readonly responseTime: EpochMs;
  readonly directives: ResponseDirectives;
}
