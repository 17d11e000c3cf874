import type { CanonicalUri } from '../../wlis/canonical-uri.js';

/**
 * What many URIs have in common that one page generates without end, such as those of a calendar, or of one list in all its
 * orders: the path with its numbers made equal, and the names of the query.
 */
export function shapeOf(uri: CanonicalUri): string {
  const query = uri.indexOf('?');
  const path = query < 0 ? uri : uri.slice(0, query);
  const shape = path.replace(/\d+/g, '0').replace(/[0-9a-f]{16,}/gi, 'x');
  if (query < 0) return shape;
  const names = uri.slice(query + 1).split('&', mostNames);
  return `${shape}?${names
    .map((one) => one.replace(/=.*/s, '').replace(/\d+/g, '0'))
    .sort()
    .join('&')}`;
}

/**
 * Why a URI looks as if it had been made by following a relative link again and again: `/a/b/a/b/a/b/`; null if it does not.
 */
export function looksEndless(uri: CanonicalUri): 'long' | 'repeated' | null {
  if (uri.length > longest) return 'long';
  const segments = uri
    .replace(/[?#].*/s, '')
    .split('/')
    .slice(3);
  if (segments.length > mostSegments) return 'long';
  const counts = new Map<string, number>();
  for (const segment of segments) {
    const count = (counts.get(segment) ?? 0) + 1;
    if (segment !== '' && count > mostRepeated) return 'repeated';
    counts.set(segment, count);
  }
  return null;
}

const longest = 2048;
const mostSegments = 32;
const mostRepeated = 3;
const mostNames = 32;
