import { bytes, type Bytes } from '../../config/units.js';
import type { Fields } from '../http/fields.js';
import { parseContentRange } from '../http/range.js';
import type { Interval, StoredResponse } from './stored-response.js';
import { strongValidatorOf } from './strong-validator.js';

/**
 * The union of what is held with one more interval, in normal form: sorted, disjoint, not adjacent, none empty.
 * What is given is in normal form already.
 */
export function addInterval(held: readonly Interval[], added: Interval): Interval[] {
  if (added.to <= added.from) return [...held];
  const before = held.filter((one) => one.to < added.from);
  const after = held.filter((one) => one.from > added.to);
  const touched = held.slice(before.length, held.length - after.length);
  const from = bytes(Math.min(added.from, touched[0]?.from ?? added.from));
  const to = bytes(Math.max(added.to, touched.at(-1)?.to ?? added.to));
  return [...before, { from, to }, ...after];
}

/** Whether all bytes of a representation of that length are held. */
export function isWhole([first]: readonly Interval[], length: Bytes): boolean {
  return length === 0 || (first?.from === 0 && first.to >= length);
}

/** Whether every byte of the interval is held; of an empty interval that is so. */
export const covers = (held: readonly Interval[], interval: Interval): boolean =>
  interval.to <= interval.from || held.some((one) => one.from <= interval.from && interval.to <= one.to);

/** The parts of an interval that are not held, in normal form. */
export function missingWithin(held: readonly Interval[], interval: Interval): Interval[] {
  const missing: Interval[] = [];
  let position = interval.from;
  for (const one of held) {
    if (one.to <= position) continue;
    if (one.from >= interval.to) break;
    if (one.from > position) missing.push({ from: position, to: one.from });
    position = one.to;
  }
  if (position < interval.to) missing.push({ from: position, to: interval.to });
  return missing;
}

/**
 * Whether the part that a 206 brings belongs to the same representation as a stored response, so that the two may be
 * combined (RFC 9111 §3.4, RFC 9110 §15.3.7.3): one range, a valid `Content-Range`, the same strong validator, lengths
 * that agree. The fields of the combination are those of `freshenedFields`. A 200 is never combined: it replaces.
 */
export function canCombine(
  stored: StoredResponse,
  response: { readonly status: number; readonly fields: Fields },
): boolean {
  if (response.status !== 206 || stored.status !== 200 || isMultipart(response.fields)) return false;
  const range = parseContentRange(response.fields.get('content-range') ?? '');
  if (range === null || 'unsatisfied' in range) return false;
  const mine = strongValidatorOf(stored.fields, stored.responseTime);
  const theirs = strongValidatorOf(response.fields, stored.responseTime);
  if (mine === null || mine !== theirs) return false;
  return lengthsAgree(stored, range);
}

function lengthsAgree(stored: StoredResponse, range: { to: Bytes; length: Bytes | null }): boolean {
  if (stored.length !== null) return range.length === null ? range.to <= stored.length : range.length === stored.length;
  return range.length === null || (stored.held.at(-1)?.to ?? 0) <= range.length;
}

const isMultipart = (fields: Fields): boolean => /^multipart\/byteranges\b/i.test(fields.first('content-type') ?? '');

/** The fields of a request for what is missing of a stored response. */
export interface CompletionRequest {
  /** Value for `Range`. */
  readonly range: string;
  /** Value for `If-Range`: a strong validator (RFC 9110 §13.1.5). */
  readonly ifRange: string;
}

/**
 * The one byte range that brings all that is missing of what is wanted (null: of the whole), on condition that the
 * representation is still the same. Null if nothing is missing, or if the stored response has no strong validator and so
 * cannot be completed (RFC 9111 §3.4).
 */
export function completionRequest(stored: StoredResponse, wanted: Interval | null): CompletionRequest | null {
  const ifRange = strongValidatorOf(stored.fields, stored.responseTime);
  if (ifRange === null) return null;
  const end = stored.length ?? bytes(Infinity);
  const span =
    wanted === null ? { from: bytes(0), to: end } : { from: wanted.from, to: bytes(Math.min(wanted.to, end)) };
  const missing = missingWithin(stored.held, span);
  const [first, last] = [missing[0], missing.at(-1)];
  if (first === undefined || last === undefined) return null;
  const lastPosition = last.to === end ? '' : String(last.to - 1);
  return { range: `bytes=${first.from}-${lastPosition}`, ifRange };
}
