import { canonicalHost } from './canonical-host.js';
import { canonicalPath } from './canonical-path.js';
import { NotCanonical } from './not-canonical.js';

declare const canonical: unique symbol;

/**
 * An `http` or `https` URI in the one spelling by which documents are known: scheme and host in lower case, A-labels, no
 * default port, user, fragment or trailing dot; percent-encoding in upper case and only where needed; no dot segments.
 */
export type CanonicalUri = string & { readonly [canonical]: true };

/**
 * The canonical spelling of a URI, the same whether it was written by a person, a browser or a program (RFC 3986 §6.2;
 * docs/protocol.md). A fragment is dropped.
 * @throws NotCanonical for what is no http or https URI, names a user, or has a character in it that nobody agrees on
 */
export function canonicalUri(text: string): CanonicalUri {
  if (text.length > longest) throw new NotCanonical(`longer than ${longest} characters`);
  // browsers take it for no part of the URI, other programs do
  if (text.endsWith(' ')) throw new NotCanonical('ends in a space');
  const parts = /^(https?):\/\/([^/?#]*)([^#]*)/i.exec(text);
  if (parts === null) throw new NotCanonical('no http or https URI');
  const [, scheme = '', authority = '', rest = ''] = parts;
  const uri = canonicalUriOf(scheme.toLowerCase() as 'http' | 'https', authority, rest);
  if (uri.length > longest) throw new NotCanonical(`longer than ${longest} characters`);
  return uri;
}

/** The same of parts: authority as in `Host`, path and query as in a request line; a missing path is `/`. */
export function canonicalUriOf(scheme: 'http' | 'https', authority: string, path: string): CanonicalUri {
  if (authority.includes('@')) throw new NotCanonical('names a user');
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority) ?? [];
  const place = canonicalHost(host) + canonicalPort(scheme, port ?? '');
  return `${scheme}://${place}${canonicalPath(path.startsWith('/') ? path : `/${path}`)}` as CanonicalUri;
}

function canonicalPort(scheme: 'http' | 'https', port: string): string {
  if (port === '') return '';
  const value = /^\d{1,8}$/.test(port) ? Number(port) : 0;
  if (value < 1 || value > 65535) throw new NotCanonical('a port that is no number from 1 to 65535');
  return value === (scheme === 'https' ? 443 : 80) ? '' : `:${value}`;
}

const longest = 16_384;
