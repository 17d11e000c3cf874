import { bytes, type Bytes } from '../../config/units.js';
import { splitList } from './fields.js';

/** A half-open range of byte positions: `from` ≤ position < `to`. */
export interface ByteRange {
  readonly from: Bytes;
  readonly to: Bytes;
}

/** One member of a `Range: bytes=…` (RFC 9110 §14.1.2). */
export type ByteRangeSpec =
  /** `from-last`, with `to` = last + 1; null for `from-`. */
  | { readonly kind: 'positions'; readonly from: Bytes; readonly to: Bytes | null }
  /** `-length`: that many bytes at the end. */
  | { readonly kind: 'suffix'; readonly length: Bytes };

export type ResolvedRanges =
  | { readonly kind: 'satisfiable'; readonly ranges: readonly ByteRange[] }
  /** To be answered by 416. */
  | { readonly kind: 'unsatisfiable' }
  /** To be answered as if there were no `Range`. */
  | { readonly kind: 'ignore' };

/**
 * The ranges that a `Range` asks for; null if the field is to be ignored (RFC 9110 §14.2): another unit, not the grammar,
 * a last position before the first, or more ranges than an honest client asks for.
 */
export function parseRange(value: string): readonly ByteRangeSpec[] | null {
  const set = /^bytes=(.*)$/is.exec(value)?.[1];
  if (set === undefined) return null;
  const members = splitList(set);
  if (members.length === 0 || members.length > mostAsked) return null;
  const specs: ByteRangeSpec[] = [];
  for (const member of members) {
    const spec = parseSpec(member);
    if (spec === null) return null;
    specs.push(spec);
  }
  return specs;
}

/**
 * The ranges to send of a representation of that length, in the order asked for: unsatisfiable ones left out, those that
 * overlap or lie closer together than the head of a part is long made one (RFC 9110 §15.3.7.2).
 */
export function resolveRanges(specs: readonly ByteRangeSpec[], length: Bytes): ResolvedRanges {
  // no Content-Range can name a part of nothing, although a suffix of it is satisfiable (RFC 9110 §14.1.2)
  if (length === 0 && specs.some((spec) => spec.kind === 'suffix' && spec.length > 0)) return { kind: 'ignore' };
  const satisfiable = specs.map((spec) => resolve(spec, length)).filter((range) => range !== null);
  if (satisfiable.length === 0) return { kind: 'unsatisfiable' };
  const ranges = coalesce(satisfiable);
  return ranges.length > mostSent ? { kind: 'ignore' } : { kind: 'satisfiable', ranges };
}

/** What a `Content-Range` says (RFC 9110 §14.4). */
export type ContentRange =
  /** `bytes from-last/length`, with `to` = last + 1; the length is null for `*`. */
  | (ByteRange & { readonly length: Bytes | null })
  /** An asterisk in place of the range: the current length, told by a 416. */
  | { readonly unsatisfied: Bytes };

/** Strict: null for another unit, and for a range that is empty, reversed or reaches beyond the length. */
export function parseContentRange(value: string): ContentRange | null {
  const match = contentRange.exec(value);
  if (match === null) return null;
  const [, first, last, complete = ''] = match;
  const length = complete === '*' ? null : exact(complete);
  if (length !== null && Number.isNaN(length)) return null;
  if (first === undefined || last === undefined) return length === null ? null : { unsatisfied: length };
  const from = exact(first);
  const to = bytes(exact(last) + 1);
  if (!(from < to && to <= Number.MAX_SAFE_INTEGER) || (length !== null && to > length)) return null;
  return { from, to, length };
}

/** The value of `Content-Range` for a range of a representation of that length. */
export const formatContentRange = ({ from, to }: ByteRange, length: Bytes | null): string =>
  `bytes ${from}-${to - 1}/${length ?? '*'}`;

/** Browsers and download tools ask for one range, readers of PDF files for a few dozen. */
const mostAsked = 64;
const mostSent = 16;
/** About what a part's boundary and fields take. */
const partOverhead = 80;

const contentRange = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/i;

/** NaN beyond what can be counted exactly. */
function exact(digits: string): Bytes {
  const n = Number(digits);
  return bytes(Number.isSafeInteger(n) ? n : Number.NaN);
}

function parseSpec(member: string): ByteRangeSpec | null {
  const match = /^(\d*)-(\d*)$/.exec(member);
  if (match === null) return null;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? null : { kind: 'suffix', length: clamped(last) };
  const from = clamped(first);
  if (last === '') return { kind: 'positions', from, to: null };
  const lastPosition = clamped(last);
  return lastPosition < from ? null : { kind: 'positions', from, to: bytes(lastPosition + 1) };
}

/** A number of any size; those that no representation reaches are all the same. */
const clamped = (digits: string): Bytes => bytes(Math.min(Number(digits), Number.MAX_SAFE_INTEGER - 1));

function resolve(spec: ByteRangeSpec, length: Bytes): ByteRange | null {
  if (spec.kind === 'suffix') {
    return spec.length === 0 || length === 0 ? null : { from: bytes(Math.max(0, length - spec.length)), to: length };
  }
  if (spec.from >= length) return null;
  return { from: spec.from, to: spec.to === null ? length : bytes(Math.min(spec.to, length)) };
}

/**
 * 1. Sort by position. 2. Join each range to the one before it while the gap is small. 3. Put the results back in the
 * order in which the first of the ranges that went into each was asked for.
 */
function coalesce(ranges: readonly ByteRange[]): ByteRange[] {
  const sorted = ranges.map((range, asked) => ({ ...range, asked })).sort((a, b) => a.from - b.from);
  const joined: { from: Bytes; to: Bytes; asked: number }[] = [];
  for (const range of sorted) {
    const before = joined.at(-1);
    if (before === undefined || range.from - before.to >= partOverhead) {
      joined.push(range);
      continue;
    }
    before.to = bytes(Math.max(before.to, range.to));
    before.asked = Math.min(before.asked, range.asked);
  }
  return joined.sort((a, b) => a.asked - b.asked).map(({ from, to }) => ({ from, to }));
}
