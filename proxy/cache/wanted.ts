import type { Bytes, EpochMs } from '../../config/units.js';
import type { Request } from '../http/message.js';
import { ifRangeHolds, isNotModified } from '../http/preconditions.js';
import { parseRange, resolveRanges } from '../http/range.js';
import { completionRequest, covers, type CompletionRequest } from './partial.js';
import type { Interval, ResponseMetadata, StoredResponse } from './stored-response.js';

/** As much of a request as says what of a representation it wants. */
export type Wanting = Pick<Request, 'method' | 'fields'>;

/** As much of a response as says what is to be sent of it. */
export type Described = Pick<ResponseMetadata, 'status' | 'fields'>;

/** Whether a request has a condition by which a stored response is answered with 304, none of its bytes being needed. */
export const answersNotModified = (metadata: Described, request: Wanting, now: EpochMs): boolean =>
  // a precondition counts where the answer would be a success without it (RFC 9110 §13.2.1)
  metadata.status < 300 &&
  (request.fields.has('if-none-match') || request.fields.has('if-modified-since')) &&
  isNotModified(request, validatorsOf(metadata, now), now);

/** The ranges that a request asks of a representation of that length; null: it is to get the whole. */
export function requestedRanges(
  metadata: Described,
  length: Bytes,
  request: Wanting,
  now: EpochMs,
): ReturnType<typeof resolveRanges> | null {
  const value = request.fields.get('range');
  if (value === undefined || request.method !== 'GET') return null;
  const specs = parseRange(value);
  if (specs === null) return null;
  if (request.fields.has('if-range') && !ifRangeHolds(request.fields, validatorsOf(metadata, now))) return null;
  const resolved = resolveRanges(specs, length);
  return resolved.kind === 'ignore' ? null : resolved;
}

/** Whether a stored response holds all the bytes that the answer to a request takes. */
export function heldFor(stored: StoredResponse, request: Wanting, now: EpochMs): boolean {
  if (stored.complete || request.method === 'HEAD' || answersNotModified(stored, request, now)) return true;
  if (stored.length === null) return false;
  const wanted = requestedRanges(stored, stored.length, request, now);
  if (wanted === null) return false;
  return wanted.kind !== 'satisfiable' || wanted.ranges.every((range) => covers(stored.held, range));
}

/** The one interval that a request wants; null: all of it. */
export function wantedOf(stored: StoredResponse, request: Wanting, now: EpochMs): Interval | null | 'several' {
  if (stored.length === null) return request.fields.has('range') ? 'several' : null;
  const wanted = requestedRanges(stored, stored.length, request, now);
  if (wanted === null) return null;
  if (wanted.kind !== 'satisfiable' || wanted.ranges.length !== 1) return 'several';
  return wanted.ranges[0] ?? 'several';
}

/** What is asked of the origin server to complete a stored part for a request; null if that cannot be done. */
export function completionFor(stored: StoredResponse, request: Wanting, now: EpochMs): CompletionRequest | null {
  const wanted = wantedOf(stored, request, now);
  return wanted === 'several' ? null : completionRequest(stored, wanted);
}

function validatorsOf(
  metadata: Described,
  now: EpochMs,
): { etag: string | null; lastModified: string | null; date: string | null; now: EpochMs } {
  return {
    etag: metadata.fields.first('etag') ?? null,
    lastModified: metadata.fields.first('last-modified') ?? null,
    date: metadata.fields.first('date') ?? null,
    now,
  };
}
