import type { Fields } from './fields.js';

/**
 * The fields of a trailer section that may be one: none for framing, routing, authentication, request modifiers, response
 * control or the content's format (RFC 9110 §6.5.1), and none that is for one connection only (§7.6.1). The others are
 * dropped, as RFC 9112 §7.1.2 lets a recipient do.
 */
export const permittedTrailers = (trailers: Fields): Fields => trailers.filter(mayBeTrailer);

function mayBeTrailer(name: string): boolean {
  return !forbidden.has(name) && !forbiddenPrefixes.some((prefix) => name.startsWith(prefix));
}

/** Digests are the one kind of content field made for trailers (RFC 9530 §6.2); their names begin otherwise. */
const forbiddenPrefixes = ['content-', 'if-', 'proxy-', 'sec-', 'x-forwarded-', 'access-control-', 'transfer-'];

const forbidden = new Set([
  // framing and routing
  'connection',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'max-forwards',
  'te',
  'trailer',
  'upgrade',
  'via',
  'cdn-loop',
  // authentication and state
  'authentication-info',
  'authorization',
  'cookie',
  'set-cookie',
  'www-authenticate',
  // request modifiers and response control
  'accept-ranges',
  'age',
  'allow',
  'cache-control',
  'cache-group-invalidation',
  'cache-groups',
  'cache-status',
  'cdn-cache-control',
  'date',
  'expires',
  'location',
  'pragma',
  'range',
  'retry-after',
  'vary',
  'warning',
]);
