import { bytes, type EpochMs } from '../../config/units.js';
import type { Plan } from './plan.js';
import type { ResponseStore } from './response-store.js';
import type { Interval, StoredResponse } from './stored-response.js';
import { answersNotModified, wantedOf, type Wanting } from './wanted.js';

/**
 * Whether the stored response that a plan is about can be read, so far as the answer to the request takes bytes of it: the
 * first of them are read before the answer begins.
 */
export function isReadable(
  store: ResponseStore,
  request: Wanting,
  chosen: Plan,
  now: EpochMs,
): true | Promise<boolean> {
  const stored = 'stored' in chosen ? chosen.stored : null;
  if (stored === null || request.method === 'HEAD' || stored.held.length === 0) return true;
  if (answersNotModified(stored, request, now)) return true;
  const { from, to } = request.fields.has('range') ? firstOf(stored, request, now) : (stored.held[0] as Interval);
  return store.ready(stored, from, to);
}

/** The first bytes of what is held of the range that a request wants. */
function firstOf(stored: StoredResponse, request: Wanting, now: EpochMs): Interval {
  const wanted = wantedOf(stored, request, now);
  const [first] = stored.held as [Interval];
  if (wanted === null || wanted === 'several') return first;
  for (const { from, to } of stored.held) {
    const [start, end] = [Math.max(from, wanted.from), Math.min(to, wanted.to)];
    if (start < end) return { from: bytes(start), to: bytes(end) };
  }
  return { from: first.from, to: first.from };
}
