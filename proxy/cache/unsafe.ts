import type { Response } from '../http/message.js';
import { isSafeMethod } from '../http/methods.js';
import type { Answering } from './answering.js';
import { groupsToInvalidate } from './cache-groups.js';
import { cacheKeyOf, originOfKey } from './cache-key.js';
import type { Fetching } from './fetching.js';
import { urisToInvalidate } from './invalidation.js';
import type { ReceivedResponse } from './receive-response.js';
import type { ResponseStore } from './response-store.js';
import type { Storing } from './storing.js';
import type { Visit } from './visit.js';
import type { Reason } from './answering.js';

/**
 * Forwards a request that no stored response may answer: unsafe and unknown methods, and requests with content. What an
 * unsafe one changed is invalidated before its answer leaves (RFC 9111 §4.4, RFC 9875 §3); its answer may be stored for
 * later GET requests where it says so (RFC 9110 §9.3.3).
 */
export async function passThrough(
  visit: Visit,
  reason: Reason,
  parts: { store: ResponseStore; fetching: Fetching; storing: Storing; answering: Answering; signal: AbortSignal },
): Promise<Response> {
  const { request } = visit;
  const received = await parts.fetching.send(visit, visit.route.outgoing(request).fields, parts.signal);
  await invalidate(visit, received, parts.store);
  if (request.method === 'POST') {
    const outcome = parts.storing.begin(visit, received, [], parts.store.generation());
    if (outcome.kind === 'storing') return parts.answering.forwarded(request, { ...outcome, received }, reason, false);
  }
  return parts.answering.passed(request, received, reason);
}

/** Holds the answer until nobody can be served what it made untrue. */
async function invalidate(visit: Visit, received: ReceivedResponse, store: ResponseStore): Promise<void> {
  const { request, route, key } = visit;
  if (isSafeMethod(request.method)) return;
  const scope = route.scope;
  const done = urisToInvalidate(request, received).map((uri) => store.invalidate(cacheKeyOf(uri, scope)));
  for (const group of groupsToInvalidate(received.fields, request.method, received.status)) {
    done.push(store.invalidateGroup(originOfKey(key), group));
  }
  await Promise.all(done);
}
