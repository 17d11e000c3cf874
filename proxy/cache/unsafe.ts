import type { Response } from '../http/message.js';
import { isSafeMethod } from '../http/methods.js';
import type { Answering, Reason } from './answering.js';
import { cacheGroups, groupsToInvalidate } from './cache-groups.js';
import { cacheKeyOf, originOfKey, scopesOfSide, type CacheKey } from './cache-key.js';
import type { Fetching } from './fetching.js';
import { urisToInvalidate } from './invalidation.js';
import type { ReceivedResponse } from './receive-response.js';
import type { ResponseStore } from './response-store.js';
import type { Storing } from './storing.js';
import type { Visit } from './visit.js';

export interface PassingParts {
  readonly store: ResponseStore;
  readonly fetching: Fetching;
  readonly storing: Storing;
  readonly answering: Answering;
  /** Told which keys are no longer to be answered by forwards that are under way. */
  readonly onInvalidated: (concerns: (key: CacheKey) => boolean) => void;
}

/**
 * Forwards a request that no stored response may answer: unsafe and unknown methods, and requests with content. What an
 * unsafe one changed is invalidated before its answer leaves (RFC 9111 §4.4, RFC 9875 §3); its answer may be stored for
 * later GET requests where it says so (RFC 9110 §9.3.3).
 */
export async function passThrough(visit: Visit, reason: Reason, parts: PassingParts): Promise<Response> {
  const { request } = visit;
  const generation = parts.store.generation();
  const received = await parts.fetching.send(visit, visit.route.outgoing().fields, request.cancellation);
  // an answer that another change may have overtaken is not stored
  const overtaken =
    parts.store.isInvalidatedAfter(visit.key, generation) ||
    (cacheGroups(received.fields).length > 0 && parts.store.generation() !== generation);
  const invalidated = invalidate(visit, received, parts);
  // taken in this turn: a purge while that lasts overtakes the answer
  const afterwards = parts.store.generation();
  await invalidated;
  if (request.method === 'POST' && !overtaken && visit.rule?.store !== false) {
    const outcome = parts.storing.begin(visit, received, [], afterwards);
    if (outcome.kind === 'storing') return parts.answering.forwarded(request, { ...outcome, received }, reason, false);
  }
  return parts.answering.passed(request, received, reason);
}

/** Holds the answer until nobody can be served what it made untrue. */
async function invalidate(
  { request, route }: Visit,
  received: ReceivedResponse,
  { store, onInvalidated }: PassingParts,
): Promise<void> {
  if (isSafeMethod(request.method)) return;
  const scopes = scopesOfSide(route.scope);
  const keys = urisToInvalidate(request, received).flatMap((uri) => scopes.map((scope) => cacheKeyOf(uri, scope)));
  const groups = groupsToInvalidate(received.fields, request.method, received.status);
  const origins = scopes.map((scope) => originOfKey(cacheKeyOf(request.target, scope)));
  // which groups an answer belongs to is known only when it comes
  onInvalidated((one) => keys.includes(one) || (groups.length > 0 && origins.includes(originOfKey(one))));
  const done = keys.map((one) => store.invalidate(one));
  const ofGroups = origins.flatMap((origin) => groups.map((group) => store.invalidateGroup(origin, group)));
  await Promise.all([...done, ...ofGroups]);
}
