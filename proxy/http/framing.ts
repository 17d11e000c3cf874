import { bytes, type Bytes } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { splitList } from './fields.js';

/** How long the content of a request is (RFC 9112 §6.3). */
export type Framing =
  { readonly kind: 'none' } | { readonly kind: 'length'; readonly length: Bytes } | { readonly kind: 'chunked' };

const NONE: Framing = { kind: 'none' };
const CHUNKED: Framing = { kind: 'chunked' };

/** Registered transfer codings that this server does not decode; `chunked` has to be the last one anyhow. */
const OTHER_CODINGS = new Set(['gzip', 'x-gzip', 'deflate', 'compress', 'x-compress']);

/**
 * The framing of a request by its framing fields, given the values of all lines. Whatever two recipients could read in
 * two ways is refused (RFC 9112 §6.1, §6.3, §11.2).
 * @throws WillisError bad-request or not-implemented
 */
export function requestFraming(
  version: '1.0' | '1.1',
  lengths: readonly string[],
  transferCodings: readonly string[],
): Framing {
  const [coding] = transferCodings;
  const [length] = lengths;
  if (coding === undefined && length === undefined) return NONE;
  if (coding !== undefined) {
    if (length !== undefined) throw new WillisError('bad-request', 'Content-Length beside Transfer-Encoding');
    if (version === '1.0') throw new WillisError('bad-request', 'Transfer-Encoding in an HTTP/1.0 request');
    if (transferCodings.length > 1) throw new WillisError('bad-request', 'repeated Transfer-Encoding');
    return transferCoding(coding);
  }
  const parsed = lengths.length === 1 ? parseContentLength(length as string) : null;
  if (parsed === null) throw new WillisError('bad-request', 'invalid or repeated Content-Length');
  return { kind: 'length', length: parsed };
}

/** `1*DIGIT` of at most 2^53 − 1 (RFC 9110 §8.6), otherwise null. */
export function parseContentLength(value: string): Bytes | null {
  if (value === '' || value.length > 16) return null;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return null;
    length = length * 10 + digit;
  }
  return length <= Number.MAX_SAFE_INTEGER ? bytes(length) : null;
}

function transferCoding(value: string): Framing {
  const codings = value.toLowerCase();
  if (codings === 'chunked') return CHUNKED;
  const names = splitList(codings);
  if (names.length > 1 && names.pop() === 'chunked' && names.every((name) => OTHER_CODINGS.has(name))) {
    throw new WillisError('not-implemented', `transfer coding ${names.join(', ')}`);
  }
  throw new WillisError('bad-request', 'invalid Transfer-Encoding');
}
