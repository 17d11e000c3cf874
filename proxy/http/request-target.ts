import { isIPv6 } from 'node:net';
import { WillisError } from '../base/errors.js';
import type { TargetUri } from './target-uri.js';

/** `uri-host [ ":" port ]`, the host in lower case. */
export interface Authority {
  readonly host: string;
  /** Null if none, or an empty one, is written. */
  readonly port: number | null;
}

export type RequestTarget =
  | { readonly form: 'origin' | 'absolute' | 'asterisk'; readonly target: TargetUri }
  | { readonly form: 'authority'; readonly host: string; readonly port: number };

/** What the target URI is rebuilt from when the request target does not have all of it (RFC 9112 §3.3). */
export interface TargetContext {
  readonly method: string;
  /** The value of `Host`, undefined if there is none. */
  readonly host: string | undefined;
  /** Whether the connection is TLS. */
  readonly secure: boolean;
  /** Authority of this server by its address, for HTTP/1.0 requests without `Host`. */
  readonly ownAuthority: string;
}

/**
 * Rebuilds the target URI of a request (RFC 9112 §3.2, §3.3) from its request target; the authority of an absolute one
 * wins over `Host` (§3.2.2). Strict: no userinfo, no fragment, visible ASCII only, valid percent-encoding.
 * @throws WillisError bad-request
 */
export function parseRequestTarget(text: string, context: TargetContext): RequestTarget {
  if (context.method === 'CONNECT') return authorityForm(text, context.host);
  const own = hostField(context.host);
  if (text.charCodeAt(0) === SLASH) {
    return { form: 'origin', target: originTarget(checkedPath(text), own, context) };
  }
  if (text === '*') {
    if (context.method !== 'OPTIONS') throw refused('* is a target for OPTIONS only');
    return { form: 'asterisk', target: originTarget('*', own, context) };
  }
  return { form: 'absolute', target: absoluteTarget(text, context.method) };
}

/**
 * Reads an authority as `Host` carries it: a registered name of letters, digits, `-`, `_`, `~` and single dots, an IPv4
 * address or an IPv6 address in brackets, and a port from 1 to 65535. Null if it is anything else, or empty.
 */
export function parseHost(value: string): Authority | null {
  const end = value.charCodeAt(0) === OPENING_BRACKET ? literalEnd(value) : nameEnd(value);
  if (end <= 0) return null;
  const host = value.slice(0, end).toLowerCase();
  if (end === value.length) return { host, port: null };
  if (value.charCodeAt(end) !== COLON) return null;
  if (end + 1 === value.length) return { host, port: null };
  const port = parsePort(value, end + 1);
  return port === null ? null : { host, port };
}

const SLASH = 0x2f;
const COLON = 0x3a;
const DOT = 0x2e;
const PERCENT = 0x25;
const NUMBER_SIGN = 0x23;
const OPENING_BRACKET = 0x5b;
const LONGEST_NAME = 255;

const refused = (reason: string): WillisError => new WillisError('bad-request', reason);

/** `Host` as an authority; null if it is absent or empty. */
function hostField(value: string | undefined): Authority | null {
  if (value === undefined || value === '') return null;
  const authority = parseHost(value);
  if (authority === null) throw refused('invalid Host');
  return authority;
}

function originTarget(path: string, own: Authority | null, context: TargetContext): TargetUri {
  const authority = own ?? (context.host === undefined ? parseHost(context.ownAuthority) : null);
  if (authority === null) throw refused('empty Host');
  return targetUri(context.secure ? 'https' : 'http', authority, path);
}

function absoluteTarget(text: string, method: string): TargetUri {
  const start = schemeEnd(text);
  const scheme = start === 'https://'.length ? 'https' : 'http';
  let end = start;
  while (end < text.length && !endsAuthority(text.charCodeAt(end))) end++;
  const authority = parseHost(text.slice(start, end));
  if (authority === null) throw refused('invalid host in the request target');
  const rest = text.slice(end);
  // RFC 9112 §3.2.4: the last proxy sends such a request on as `OPTIONS *`.
  if (rest === '' && method === 'OPTIONS') return targetUri(scheme, authority, '*');
  return targetUri(scheme, authority, checkedPath(rest.charCodeAt(0) === SLASH ? rest : `/${rest}`));
}

function schemeEnd(text: string): number {
  const prefix = text.slice(0, 8).toLowerCase();
  if (prefix.startsWith('http://')) return 7;
  if (prefix === 'https://') return 8;
  throw refused('the request target is neither a path nor an http or https URI');
}

const endsAuthority = (c: number): boolean => c === SLASH || c === 0x3f || c === NUMBER_SIGN;

function authorityForm(text: string, host: string | undefined): RequestTarget {
  hostField(host);
  const authority = parseHost(text);
  if (authority?.port == null) throw refused('CONNECT needs a host and a port');
  return { form: 'authority', host: authority.host, port: authority.port };
}

function targetUri(scheme: 'http' | 'https', { host, port }: Authority, path: string): TargetUri {
  const usual = scheme === 'https' ? 443 : 80;
  if (port === null || port === usual) return { scheme, host, port: usual, authority: host, path };
  return { scheme, host, port, authority: `${host}:${port}`, path };
}

function checkedPath(path: string): string {
  for (let i = 0; i < path.length; i++) {
    const c = path.charCodeAt(i);
    if (c <= 0x20 || c >= 0x7f || c === NUMBER_SIGN) throw refused('character in the request target not allowed there');
    if (c === PERCENT && !(isHexDigit(path.charCodeAt(i + 1)) && isHexDigit(path.charCodeAt(i + 2)))) {
      throw refused('invalid percent-encoding in the request target');
    }
  }
  return path;
}

/** Where an IPv6 literal ends, or -1 if it is none. */
function literalEnd(value: string): number {
  const end = value.indexOf(']');
  if (end < 0) return -1;
  const address = value.slice(1, end);
  // A zone would mean something on this machine only, and RFC 9110 has none.
  return isIPv6(address) && !address.includes('%') ? end + 1 : -1;
}

/** Where a registered name or IPv4 address ends, or -1 if it has an empty label or is too long. */
function nameEnd(value: string): number {
  let i = 0;
  let previous = DOT;
  for (; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (c === COLON) break;
    if (c === DOT ? previous === DOT : !isNameCharacter(c)) return -1;
    previous = c;
  }
  return i > LONGEST_NAME ? -1 : i;
}

function isNameCharacter(c: number): boolean {
  return isDigit(c) || (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a) || c === 0x2d || c === 0x5f || c === 0x7e;
}

const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;
const isHexDigit = (c: number): boolean => isDigit(c) || (c >= 0x61 && c <= 0x66) || (c >= 0x41 && c <= 0x46);

function parsePort(value: string, from: number): number | null {
  if (value.length - from > 5) return null;
  let port = 0;
  for (let i = from; i < value.length; i++) {
    const c = value.charCodeAt(i);
    if (!isDigit(c)) return null;
    port = port * 10 + (c - 0x30);
  }
  return port >= 1 && port <= 65535 ? port : null;
}
