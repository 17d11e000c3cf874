import { hrefOf, type TargetUri } from '../http/target-uri.js';

/**
 * Keeps apart what the same URI means to different sides of a node: '' for the forward proxy, 'site' for the reverse side;
 * 'chosen' for readers of the forward proxy who have chosen a server, 'view' for what is made of pages for browsers.
 */
export const scopes = ['', 'site', 'chosen', 'view'] as const;
export type Scope = (typeof scopes)[number];

/** All scopes in which the forward proxy, or the reverse side, stores what it has of a URI: what makes one untrue makes all. */
export const scopesOfSide = (scope: Scope): readonly Scope[] => (scope === 'site' ? ['site'] : ['', 'chosen']);

/**
 * The primary cache key (RFC 9111 §2), `scope|URI`: the target URI within a scope, which contains no `|`.
 * The request method is not part of it: only GET is looked up, HEAD is answered from GET (RFC 9111 §4).
 */
export type CacheKey = string & { readonly cacheKey: unique symbol };

export const cacheKeyOf = (target: TargetUri, scope: Scope): CacheKey => keyOfUri(hrefOf(target), scope);

/** @param uri normalised, as `hrefOf` writes it */
export const keyOfUri = (uri: string, scope: Scope): CacheKey => `${scope}|${uri}` as CacheKey;

/** Whether it is of what was made of a page for browsers. */
export const isView = (key: CacheKey): boolean => key.startsWith('view|');

/** The target URI of a key. */
export const uriOfKey = (key: CacheKey): string => key.slice(key.indexOf('|') + 1);

/** The scope and the origin of a key, `scope|scheme://authority`: what a cache group belongs to (RFC 9875 §2). */
export const originOfKey = (key: CacheKey): string => upToPath(key, key.indexOf('|'));

/** `scheme://authority` of a URI. */
export const originOfUri = (uri: string): string => upToPath(uri, 0);

function upToPath(text: string, from: number): string {
  const authority = text.indexOf('://', from) + '://'.length;
  const path = text.indexOf('/', authority);
  return path === -1 ? text : text.slice(0, path);
}
