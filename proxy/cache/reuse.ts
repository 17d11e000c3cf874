import { seconds, type EpochMs, type Seconds } from '../../config/units.js';
import type { RequestDirectives } from './cache-control.js';
import { currentAge, type Freshness } from './freshness.js';

/** Whether a stored response may answer a request (RFC 9111 §4), and why. */
export type ReuseDecision =
  | { readonly kind: 'reuse'; readonly reason: 'fresh' | 'max-stale' }
  /** Answer with it at once and validate it behind the answer (RFC 5861 §3). */
  | { readonly kind: 'reuse-and-validate'; readonly reason: 'stale-while-revalidate' }
  | { readonly kind: 'validate'; readonly reason: ValidateReason };

export type ValidateReason =
  /** the response's own matter: RFC 9211 `fwd=stale` */
  | 'stale'
  | 'no-cache'
  | 'invalidated'
  /** the request asks for it: RFC 9211 `fwd=request` */
  | 'request-no-cache'
  | 'request-max-age'
  | 'request-min-fresh';

export interface ReuseInput {
  readonly freshness: Freshness;
  readonly invalidated: boolean;
}

/** RFC 9111 §4, §4.2, §5.2.1. */
export function decideReuse(stored: ReuseInput, request: RequestDirectives, now: EpochMs): ReuseDecision {
  const { freshness } = stored;
  if (stored.invalidated) return { kind: 'validate', reason: 'invalidated' };
  if (freshness.directives.noCache === true) return { kind: 'validate', reason: 'no-cache' };
  if (request.noCache) return { kind: 'validate', reason: 'request-no-cache' };

  // the clock was set back: how long the response has been here is not known any more (§4.2.3)
  if (now < freshness.responseTime) return { kind: 'validate', reason: 'stale' };

  const age = currentAge(freshness, now);
  const staleness = age - freshness.lifetime;
  const mayBeStale = !staleForbidden(freshness);
  const tolerated = mayBeStale ? (request.maxStale ?? 0) : 0;
  if (request.maxAge !== null && age > request.maxAge + tolerated)
    return { kind: 'validate', reason: 'request-max-age' };
  if (request.minFresh !== null && -staleness < request.minFresh)
    return { kind: 'validate', reason: 'request-min-fresh' };
  if (staleness < 0) return { kind: 'reuse', reason: 'fresh' };

  if (!mayBeStale) return { kind: 'validate', reason: 'stale' };
  if (request.maxStale !== null && staleness <= tolerated) return { kind: 'reuse', reason: 'max-stale' };
  // by max-age alone a client says that it wants nothing stale (§5.2.1.1)
  const wantsFresh = request.maxAge !== null && request.maxStale === null;
  const { staleWhileRevalidate } = freshness.directives;
  if (staleWhileRevalidate !== null && staleness <= staleWhileRevalidate && !wantsFresh) {
    return { kind: 'reuse-and-validate', reason: 'stale-while-revalidate' };
  }
  return { kind: 'validate', reason: 'stale' };
}

/** What went wrong when a stored response should have been validated. */
export type ValidationFailure = 'unreachable' | 'server-error';

/**
 * Whether a stale response may be sent because validation failed: when disconnected (RFC 9111 §4.2.4) and on 5xx within
 * `stale-if-error` (RFC 5861 §4) — never where the response or the request forbids it.
 */
export function mayServeStaleOnFailure(
  stored: ReuseInput,
  reason: ValidateReason,
  request: RequestDirectives,
  failure: ValidationFailure,
  now: EpochMs,
): boolean {
  const { freshness } = stored;
  if (reason !== 'stale' || staleForbidden(freshness)) return false;
  const staleness = currentAge(freshness, now) - freshness.lifetime;
  const limit = longest(freshness.directives.staleIfError, request.staleIfError);
  if (limit !== null) return staleness <= limit;
  return failure === 'unreachable';
}

/** must-revalidate, proxy-revalidate, s-maxage and no-cache (RFC 9111 §4.2.4, §5.2.2.10). */
export function staleForbidden(freshness: Freshness): boolean {
  const { directives } = freshness;
  return (
    directives.mustRevalidate ||
    directives.proxyRevalidate ||
    directives.sMaxage !== null ||
    directives.noCache === true
  );
}

/** RFC 9211 §2.2: whether the request or the stored response was the cause of forwarding. */
export const isRequestReason = (reason: ValidateReason): boolean => reason.startsWith('request-');

function longest(a: Seconds | null, b: Seconds | null): Seconds | null {
  if (a === null) return b;
  return b === null ? a : seconds(Math.max(a, b));
}
