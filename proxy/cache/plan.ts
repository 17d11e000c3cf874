import type { CacheRule } from '../../config/schema.js';
import type { EpochMs } from '../../config/units.js';
import type { Request } from '../http/message.js';
import type { Reason } from './answering.js';
import type { RequestDirectives } from './cache-control.js';
import { decideReuse, isRequestReason, type ValidateReason } from './reuse.js';
import type { StoredResponse } from './stored-response.js';
import { selectStored } from './vary.js';
import { heldFor } from './wanted.js';

/** What the cache is to do about a request, and why (RFC 9111 §4). `reason` is what `Cache-Status` will say of it. */
export type Plan =
  | WithoutStored
  /** Answer with the stored response; `why` is what makes it good enough. */
  | { readonly kind: 'hit'; readonly stored: StoredResponse; readonly why: 'fresh' | 'max-stale' }
  /** Answer with it at once, and validate it behind the answer (RFC 5861 §3). */
  | { readonly kind: 'hit-and-validate'; readonly stored: StoredResponse; readonly why: 'stale-while-revalidate' }
  /** Fetch what the stored part lacks for this request (RFC 9111 §3.3). */
  | { readonly kind: 'complete'; readonly stored: StoredResponse; readonly reason: Reason }
  /** Ask the origin server whether the stored response is still good; null: whether any of those under the key is. */
  | {
      readonly kind: 'validate';
      readonly stored: StoredResponse | null;
      readonly why: ValidateReason;
      readonly reason: Reason;
      /** Whether it may wait for, and be waited for by, other requests for the same key. */
      readonly collapse: boolean;
    }
  /** Nothing is stored: forward the request as it is. */
  | { readonly kind: 'fetch'; readonly reason: Reason; readonly collapse: boolean };

/** What is decided before the store is asked. */
export type WithoutStored =
  /** No stored response may answer it: forward it as it is. */
  | { readonly kind: 'bypass'; readonly reason: Reason }
  /** It would have to be forwarded for that reason, and its client wants nothing but a stored answer (§5.2.1.7). */
  | { readonly kind: 'refuse'; readonly reason: Reason };

/** As much of a request as the decision depends on. */
export type PlannedRequest = Pick<Request, 'method' | 'fields' | 'body'>;

/** The plan for a request that no stored response may answer; null: what is stored decides. */
export function planWithoutStored(
  request: PlannedRequest,
  directives: RequestDirectives,
  rule: CacheRule | null,
): WithoutStored | null {
  const reason = reasonToBypass(request) ?? (rule?.store === false ? { fwd: 'bypass', detail: 'rule' } : null);
  if (reason === null) return null;
  return directives.onlyIfCached ? { kind: 'refuse', reason } : { kind: 'bypass', reason };
}

/**
 * The plan for a request that `planWithoutStored` leaves open.
 *
 * @param candidates all that is stored under its key
 */
export function plan(
  request: PlannedRequest,
  directives: RequestDirectives,
  candidates: readonly StoredResponse[],
  now: EpochMs,
): Plan {
  const { selected: stored, othersExist } = selectStored(candidates, request.fields, now);
  if (stored === null) return planWithoutSelected(request, directives, othersExist);
  const decision = decideReuse(stored, directives, now);
  const held = stored.complete || heldFor(stored, request, now);
  if (decision.kind === 'reuse' && held) return { kind: 'hit', stored, why: decision.reason };
  if (decision.kind === 'reuse-and-validate' && held) {
    return { kind: 'hit-and-validate', stored, why: decision.reason };
  }
  if (!held) {
    const reason = { fwd: 'partial' } as const;
    return directives.onlyIfCached ? { kind: 'refuse', reason } : { kind: 'complete', stored, reason };
  }
  const why = decision.kind === 'validate' ? decision.reason : 'stale';
  const byRequest = isRequestReason(why);
  const reason: Reason = { fwd: byRequest ? 'request' : 'stale', ...(why !== 'stale' && { detail: why }) };
  if (directives.onlyIfCached) return { kind: 'refuse', reason };
  return { kind: 'validate', stored, why, reason, collapse: !byRequest && mayCollapse(request, directives) };
}

function planWithoutSelected(request: PlannedRequest, directives: RequestDirectives, othersExist: boolean): Plan {
  const reason: Reason = { fwd: othersExist ? 'vary-miss' : 'uri-miss' };
  if (directives.onlyIfCached) return { kind: 'refuse', reason };
  const collapse = mayCollapse(request, directives);
  return othersExist
    ? { kind: 'validate', stored: null, why: 'stale', reason, collapse }
    : { kind: 'fetch', reason, collapse };
}

/** What may not be answered from the store at all. */
function reasonToBypass({ method, body, fields }: PlannedRequest): Reason | null {
  if (method !== 'GET' && method !== 'HEAD') return { fwd: 'method' };
  if (body !== null && body.length !== 0) return { fwd: 'bypass', detail: 'content' };
  // these are for the origin server to judge (RFC 9111 §4.3.2)
  if (fields.has('if-match') || fields.has('if-unmodified-since')) return { fwd: 'request', detail: 'precondition' };
  return null;
}

/** Whether the answer to a request is likely to serve others, and theirs to serve it. */
function mayCollapse({ method, fields }: PlannedRequest, { noStore, noCache }: RequestDirectives): boolean {
  const ownAffair = ['range', 'authorization', 'if-none-match', 'if-modified-since'].some((name) => fields.has(name));
  return method === 'GET' && !ownAffair && !noStore && !noCache;
}
