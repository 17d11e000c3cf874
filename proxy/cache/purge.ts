import type { CacheKey } from './cache-key.js';

/** What an operator wants purged, in every scope of the cache key. URIs are normalised as those of requests are. */
export type PurgeSelector =
  /** Those target URIs: one, or the same with http and https. */
  | { readonly kind: 'uri'; readonly uris: readonly string[] }
  /** Every URI that begins so; each with a whole authority. */
  | { readonly kind: 'prefix'; readonly prefixes: readonly string[] }
  /** Everything of a host on any port, or (`origins`) of that port of it. */
  | { readonly kind: 'host'; readonly host: string; readonly origins: readonly string[] | null }
  /** A cache group (RFC 9875) of those origins, `scheme://authority`. */
  | { readonly kind: 'group'; readonly origins: readonly string[]; readonly group: string };

/**
 * Soft: what is stored counts as expired from that moment, so that its next use validates it once for all who ask; what
 * the origin server says about stale responses holds. Hard: it is forgotten.
 *
 * Neither is the invalidation of RFC 9111 §4.4, after which nothing is used without validation whatever was said.
 */
export type PurgeMode = 'soft' | 'hard';

/** Whether a purge is about a response under a key, in those groups. */
export function isPurgedBy(selector: PurgeSelector, key: CacheKey, groups: readonly string[]): boolean {
  const uri = key.indexOf('|') + 1;
  switch (selector.kind) {
    case 'uri':
      return selector.uris.some((one) => key.length === uri + one.length && key.endsWith(one));
    case 'prefix':
      return selector.prefixes.some((one) => key.startsWith(one, uri));
    case 'host':
      return selector.origins === null
        ? isOfHost(key, uri, selector.host)
        : selector.origins.some((one) => isOfOrigin(key, uri, one));
    case 'group':
      return groups.includes(selector.group) && selector.origins.some((one) => isOfOrigin(key, uri, one));
  }
}

/** Whether a purge may be about the answer that a request for this key brings, whose groups are not known yet. */
export const mayBePurgedBy = (selector: PurgeSelector, key: CacheKey): boolean =>
  isPurgedBy(selector, key, selector.kind === 'group' ? [selector.group] : []);

const isOfOrigin = (key: CacheKey, uri: number, origin: string): boolean =>
  key.startsWith(origin, uri) && key[uri + origin.length] === '/';

function isOfHost(key: CacheKey, uri: number, host: string): boolean {
  const authority = key.indexOf('://', uri) + '://'.length;
  const next = key[authority + host.length];
  return key.startsWith(host, authority) && (next === '/' || next === ':');
}
