import type { Fields } from '../http/fields.js';

/** What a request says of who sends it, in `Proxy-Authorization` (RFC 9110 §11.7.2). */
export type ProxyCredentials =
  | { readonly kind: 'none' }
  /** RFC 7617. The name is in Unicode normalisation form C. */
  | { readonly kind: 'basic'; readonly name: string; readonly password: string }
  /** RFC 6750. */
  | { readonly kind: 'bearer'; readonly token: string }
  /** Well-formed, and no proof of anything: another scheme, or credentials that are not what their scheme says. */
  | { readonly kind: 'unusable'; readonly why: string }
  /** Not by the grammar: the request is refused. */
  | { readonly kind: 'malformed'; readonly why: string };

export function proxyCredentials(fields: Fields): ProxyCredentials {
  const values = fields.all('proxy-authorization');
  const [value] = values;
  if (value === undefined) return none;
  if (values.length > 1) return malformed('Proxy-Authorization stands there more than once');
  const [, scheme, rest = ''] = /^([\w!#$%&'*+.^`|~-]+)(?: +(.*))?$/s.exec(value) ?? [];
  if (scheme === undefined) return malformed('Proxy-Authorization has no scheme');
  switch (scheme.toLowerCase()) {
    case 'basic':
      return basic(rest);
    case 'bearer':
      return token68.test(rest) ? { kind: 'bearer', token: rest } : malformed('the bearer token is malformed');
    default:
      return unusable('the scheme is neither Basic nor Bearer');
  }
}

const none: ProxyCredentials = { kind: 'none' };
const malformed = (why: string): ProxyCredentials => ({ kind: 'malformed', why });
const unusable = (why: string): ProxyCredentials => ({ kind: 'unusable', why });

const token68 = /^[\w.~+/-]+=*$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** RFC 7617 §2: no control characters; the name ends at the first colon. §2.1: in UTF-8, as the challenge asks. */
function basic(text: string): ProxyCredentials {
  if (!base64.test(text)) return unusable('the Basic credentials are no base64');
  const pair = utf8(Buffer.from(text, 'base64'));
  if (pair === null) return unusable('the Basic credentials are not in UTF-8');
  const colon = pair.indexOf(':');
  if (colon === -1) return unusable('the Basic credentials have no colon');
  if (/\p{Cc}/u.test(pair)) return unusable('the Basic credentials have control characters');
  return { kind: 'basic', name: pair.slice(0, colon).normalize('NFC'), password: pair.slice(colon + 1) };
}

function utf8(octets: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return null;
  }
}
