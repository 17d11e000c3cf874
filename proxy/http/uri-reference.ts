import type { TargetUri } from './target-uri.js';

/**
 * Resolves a URI reference, as in `Location` and `Content-Location`, against a target URI (RFC 3986 §5.2, strict), to
 * the URI that a request for it would have: dot segments removed, fragment dropped, what may not stand in a URI
 * percent-encoded. Null if it is no http or https URI, names a user, or is malformed.
 */
export function resolveReference(base: TargetUri, reference: string): TargetUri | null {
  const encoded = encodeForbidden(reference);
  const parts =
    encoded === null ? null : /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?/.exec(encoded);
  if (parts === null) return null;
  const [, scheme, authority, path = '', query = ''] = parts;
  if (authority !== undefined) return withAuthority((scheme ?? base.scheme).toLowerCase(), authority, path, query);
  if (scheme !== undefined) return null;
  if (path === '') return { ...base, path: query === '' ? base.path : `${pathOf(base)}${query}` };
  const merged = path.startsWith('/') ? path : pathOf(base).replace(/[^/]*$/, '') + path;
  return { ...base, path: removeDotSegments(merged) + query };
}

const pathOf = (uri: TargetUri): string => uri.path.replace(/\?.*$/s, '');

/** Null for control characters: nobody meant them, and nobody agrees on them. */
function encodeForbidden(reference: string): string | null {
  let encoded = '';
  for (const character of reference) {
    const code = character.charCodeAt(0);
    if (code < 0x20 || code === 0x7f || code > 0xff) return null;
    encoded += code === 0x20 || code > 0x7f ? `%${code.toString(16).toUpperCase()}` : character;
  }
  return encoded;
}

function withAuthority(scheme: string, authority: string, path: string, query: string): TargetUri | null {
  if (scheme !== 'http' && scheme !== 'https') return null;
  const parts = /^(\[[0-9A-Fa-f:.]+\]|[^\s:@[\]]+)(?::(\d*))?$/.exec(authority);
  if (parts === null) return null;
  const host = (parts[1] as string).toLowerCase();
  const usual = scheme === 'http' ? 80 : 443;
  const port = parts[2] ? Number(parts[2]) : usual;
  if (port < 1 || port > 65535) return null;
  return {
    scheme,
    host,
    port,
    authority: port === usual ? host : `${host}:${port}`,
    path: (path === '' ? '/' : removeDotSegments(path)) + query,
  };
}

/** RFC 3986 §5.2.4, for paths that begin with a slash. */
export function removeDotSegments(path: string): string {
  const output: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [i, segment] of segments.entries()) {
    const last = i === segments.length - 1;
    if (segment === '..') output.pop();
    if (segment !== '.' && segment !== '..') output.push(segment);
    else if (last) output.push('');
  }
  return `/${output.join('/')}`;
}
