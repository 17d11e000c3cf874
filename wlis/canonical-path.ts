import { NotCanonical } from './not-canonical.js';

/**
 * The one spelling of a path with its query: what is unreserved stands for itself, `%XX` in upper case for all that
 * RFC 3986 does not allow where it stands, dot segments are gone. `%2F` stays what it is, as all encodings of reserved
 * characters do; only `'` in a query is always `%27`, because browsers cannot send it otherwise.
 * @param path begins with a slash
 * @throws NotCanonical for invalid percent-encoding, control characters, and NUL or backslash in any spelling
 */
export function canonicalPath(path: string): string {
  if (isCanonical.test(path)) return path;
  const queryAt = path.indexOf('?');
  const written = queryAt < 0 ? path : path.slice(0, queryAt);
  const query = queryAt < 0 ? '' : path.slice(queryAt);
  const spelled = respelled(written, otherThanPath);
  return (dotSegment.test(spelled) ? withoutDotSegments(spelled) : spelled) + respelled(query, otherThanQuery);
}

/** Most paths: nothing encoded, nothing to be encoded, and no segment that begins with a dot. */
const isCanonical = /^(?:\/(?!\.)[A-Za-z0-9._~!$&'()*+,;=:@-]*)+$/;

/** Encodings, and whatever is neither unreserved nor a sub-delim nor one of `:@/` (RFC 3986 §3.3); §3.4 adds `?`. */
const otherThanPath = /%[\dA-Fa-f]{2}|[^A-Za-z0-9._~!$&'()*+,;=:@/-]/gu;
const otherThanQuery = /%[\dA-Fa-f]{2}|[^A-Za-z0-9._~!$&()*+,;=:@/?-]/gu;

const respelled = (text: string, others: RegExp): string => text.replace(others, spelling);

function spelling(found: string): string {
  if (found.length === 3) return ofEncoded(found.toUpperCase());
  const code = found.codePointAt(0) as number;
  if (found === '%') throw new NotCanonical('invalid percent-encoding');
  if (found === '\\') throw new NotCanonical('has a backslash in it');
  if (code < 0x20 || code === 0x7f) throw new NotCanonical('has a control character in it');
  if (code >= 0xd800 && code <= 0xdfff) throw new NotCanonical('has half of a character in it');
  return encodeURIComponent(found).replace("'", '%27');
}

function ofEncoded(encoding: string): string {
  const code = parseInt(encoding.slice(1), 16);
  if (code === 0) throw new NotCanonical('has an encoded NUL in it');
  if (code === 0x5c) throw new NotCanonical('has an encoded backslash in it');
  const character = String.fromCharCode(code);
  return /[A-Za-z0-9._~-]/.test(character) ? character : encoding;
}

const dotSegment = /\/\.{1,2}(?:\/|$)/;

/** RFC 3986 §5.2.4 */
function withoutDotSegments(path: string): string {
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    const dots = segment === '.' || segment === '..';
    if (segment === '..') kept.pop();
    if (!dots) kept.push(segment);
    else if (index === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}
