import type { Fields } from '../http/fields.js';
import type { Request } from '../http/message.js';
import type { TargetUri } from '../http/target-uri.js';
import type { Upstream } from '../forward/upstream.js';
import type { RequestDirectives } from './cache-control.js';
import type { CacheKey } from './cache-key.js';

/** Where a request goes if it has to be forwarded, and under which scope its answers are stored. */
export interface Route {
  /** Scope of the cache key; see `CacheKey`. */
  readonly scope: string;
  readonly upstream: Upstream;
  /** What leaves: the target at the origin server, and complete end-to-end fields. Made only when it is needed. */
  outgoing(request: Request): { readonly target: TargetUri; readonly fields: Fields };
}

/** One request on its way through the cache. */
export interface Visit {
  readonly request: Request;
  readonly route: Route;
  readonly key: CacheKey;
  readonly directives: RequestDirectives;
}
