import { elapsed, milliseconds, type EpochMs } from '../../config/units.js';
import { parseEntityTag, parseEntityTagList, stronglyEqual, weaklyEqual } from './entity-tag.js';
import type { Fields } from './fields.js';
import { parseHttpDate } from './http-date.js';

/** The validators of a representation, as its fields give them; null where there is no such field. */
export interface Validators {
  /** The value of `ETag`. */
  readonly etag: string | null;
  /** The value of `Last-Modified`. */
  readonly lastModified: string | null;
}

/** What preconditions are compared with: a representation that there is. */
export interface CurrentRepresentation extends Validators {
  /** Stands in for a missing `Last-Modified` in a comparison with `If-Modified-Since` (RFC 9111 §4.3.2). */
  readonly date: string | null;
}

/** As much of a request as its preconditions depend on. */
export interface ConditionalRequest {
  readonly method: string;
  readonly fields: Fields;
}

/**
 * Whether a GET or HEAD request is to be answered by 304: `If-None-Match`, or `If-Modified-Since` where there is no
 * `If-None-Match`, is false (RFC 9110 §13.1.2, §13.1.3). This is all that a cache evaluates: `If-Match` and
 * `If-Unmodified-Since` are for the origin server (RFC 9111 §4.3.2), and `If-Range` is apart, see `ifRangeHolds`.
 *
 * To be asked only where the answer without them would be a 2xx (RFC 9110 §13.2.1).
 */
export function isNotModified(
  { method, fields }: ConditionalRequest,
  representation: CurrentRepresentation,
  now: EpochMs,
): boolean {
  if (!isRetrieval(method)) return false;
  const ifNoneMatch = fields.get('if-none-match');
  if (ifNoneMatch !== undefined) return matchesWeakly(ifNoneMatch, representation);
  const since = timeOf(fields.get('if-modified-since'), now);
  if (since === null) return false;
  const modified = timeOf(representation.lastModified ?? representation.date, now);
  return modified !== null && modified <= since;
}

/**
 * Whether a request is to be answered by 412: `If-Match`, or `If-Unmodified-Since` where there is no `If-Match`, is false
 * (RFC 9110 §13.1.1, §13.1.4). Only who stands for the origin server evaluates them, before `isNotModified`, and only where
 * the answer without them would be a 2xx (§13.2.1, §13.2.2).
 */
export function preconditionFails({ fields }: ConditionalRequest, current: Validators, now: EpochMs): boolean {
  const ifMatch = fields.get('if-match');
  if (ifMatch !== undefined) return !matchesStrongly(ifMatch, current);
  const since = timeOf(fields.get('if-unmodified-since'), now);
  const modified = timeOf(current.lastModified, now);
  return since !== null && modified !== null && modified > since;
}

/**
 * Whether the `Range` of a request applies as far as its `If-Range` goes (RFC 9110 §13.1.5): true without one, and with
 * the one strong validator that the representation has. Anything else, a list too, makes it false.
 */
export function ifRangeHolds(
  fields: Fields,
  current: Validators & { readonly date: string | null; readonly now: EpochMs },
): boolean {
  const value = fields.get('if-range');
  if (value === undefined) return true;
  const tag = parseEntityTag(value);
  if (tag !== null) {
    const mine = current.etag === null ? null : parseEntityTag(current.etag);
    return mine !== null && stronglyEqual(tag, mine);
  }
  const time = timeOf(value, current.now);
  return time !== null && time === timeOf(current.lastModified, current.now) && isStrongLastModified(current);
}

/**
 * Whether a stored response's `Last-Modified` can serve as a strong validator (RFC 9110 §8.8.2.2): the response was
 * generated, by its `Date`, so long after the modification that neither a second change within the same second nor clocks
 * that differ a little could hide behind it.
 */
export function isStrongLastModified(response: {
  readonly lastModified: string | null;
  readonly date: string | null;
  readonly now: EpochMs;
}): boolean {
  const modified = timeOf(response.lastModified, response.now);
  const date = timeOf(response.date, response.now);
  return modified !== null && date !== null && elapsed(modified, date) >= safeDistance;
}

const safeDistance = milliseconds(60_000);

const isRetrieval = (method: string): boolean => method === 'GET' || method === 'HEAD';

function timeOf(value: string | null | undefined, now: EpochMs): EpochMs | null {
  return value === null || value === undefined ? null : parseHttpDate(value, now);
}

function matchesStrongly(value: string, { etag }: Validators): boolean {
  const listed = parseEntityTagList(value);
  if (listed === '*') return true;
  const mine = etag === null ? null : parseEntityTag(etag);
  return mine !== null && listed.some((tag) => stronglyEqual(tag, mine));
}

/** Tags that lack their quotes are compared as they are: who sends back exactly what was sent means the same thing. */
function matchesWeakly(value: string, { etag }: CurrentRepresentation): boolean {
  if (value === etag) return true;
  const listed = parseEntityTagList(value);
  if (listed === '*') return true;
  const mine = etag === null ? null : parseEntityTag(etag);
  return mine !== null && listed.some((tag) => weaklyEqual(tag, mine));
}
