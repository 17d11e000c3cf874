import type { EpochMs } from '../../config/units.js';
import type { OutgoingRequest } from '../../proxy/forward/upstream.js';
import { answersNotModified } from '../../proxy/cache/wanted.js';
import type { RawQuestion } from './asked-document.js';
import type { KnownDocument } from './known-document.js';

/**
 * Why an answer with this status cannot be meant for what is proven of its URI: a false 404, redirect, 304 or 416. Null if it
 * can.
 */
export function contradiction(
  { proven: { isThere, record }, prepared }: KnownDocument,
  status: number,
  { method, fields }: Pick<OutgoingRequest, 'method' | 'fields'>,
  { range }: RawQuestion,
  now: EpochMs,
): string | null {
  const expected = isThere && record !== null ? record.status : 404;
  if (status === expected) return null;
  const wrong = `answered ${status} for what ${expected === 404 ? 'is not there' : `has status ${expected}`}`;
  if (expected !== 200 || prepared === null) return wrong;
  const { metadata, variant } = prepared.variantFor(fields);
  switch (status) {
    case 206:
      return range === null ? 'answered 206 for all of it' : null;
    case 304:
      return answersNotModified(metadata, { method, fields }, now) ? null : 'answered 304 for what has changed';
    case 416:
      return range !== null && range.from >= (variant?.length ?? 0) ? null : 'answered 416 for a range that is there';
    default:
      return wrong;
  }
}
