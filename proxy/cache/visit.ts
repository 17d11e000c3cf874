import type { CacheRule } from '../../config/schema.js';
import type { Fields } from '../http/fields.js';
import type { Request } from '../http/message.js';
import type { TargetUri } from '../http/target-uri.js';
import type { Upstream } from '../forward/upstream.js';
import type { RequestDirectives } from './cache-control.js';
import type { CacheKey, Scope } from './cache-key.js';
import type { StoredResponse } from './stored-response.js';

/** Where one request goes if it has to be forwarded, and under which scope its answer is stored. */
export interface Route {
  /** Scope of the cache key; see `CacheKey`. */
  readonly scope: Scope;
  /** Whether this node stands in for the origin server, so that `CDN-Cache-Control` is meant for it (RFC 9213 §2). */
  readonly actsForOrigin: boolean;
  readonly upstream: Upstream;
  /** What leaves: the target at the origin server, and complete end-to-end fields. A hit never asks. */
  readonly outgoing: () => Outgoing;
  /** What of all that is stored under the key has a part in the answer; missing for all. */
  readonly concerns?: (stored: Pick<StoredResponse, 'selecting'>) => boolean;
}

/** What of that has a part in an answer. */
export const concerning = <Of extends Pick<StoredResponse, 'selecting'>>(
  { concerns }: Pick<Route, 'concerns'>,
  stored: readonly Of[],
): readonly Of[] => (concerns === undefined ? stored : stored.filter(concerns));

export interface Outgoing {
  readonly target: TargetUri;
  readonly fields: Fields;
}

/** Makes what leaves when it is first asked for, and gives the same from then on. */
export function madeOnce(make: () => Outgoing): () => Outgoing {
  let made: Outgoing | undefined;
  return () => (made ??= make());
}

/** One request on its way through the cache. */
export interface Visit {
  readonly request: Request;
  readonly route: Route;
  readonly key: CacheKey;
  readonly directives: RequestDirectives;
  /** The operator's rule for its target URI; null if none matches. */
  readonly rule: CacheRule | null;
}
