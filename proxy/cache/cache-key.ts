import { hrefOf, type TargetUri } from '../http/target-uri.js';

/**
 * The primary cache key (RFC 9111 §2): the target URI within a scope. The scope keeps apart what the same URI means to
 * different sides of a node: '' for the forward proxy, the name of a site for the reverse side. It contains no `|`.
 * The request method is not part of it: only GET is looked up, HEAD is answered from GET (RFC 9111 §4).
 */
export type CacheKey = string & { readonly cacheKey: unique symbol };

export const cacheKeyOf = (target: TargetUri, scope: string): CacheKey => `${scope}|${hrefOf(target)}` as CacheKey;

/** The scope and the origin of a key, `scope|scheme://authority`: what a cache group belongs to (RFC 9875 §2). */
export function originOfKey(key: CacheKey): string {
  const authority = key.indexOf('://', key.indexOf('|')) + '://'.length;
  const path = key.indexOf('/', authority);
  return path === -1 ? key : key.slice(0, path);
}
