import type { Fields } from './fields.js';

/**
 * What an intermediary passes on of a message, in either direction: without `Connection`, the fields it names, and the
 * fields known to be for this connection only (RFC 9110 §7.6.1). `Trailer` goes too, as whoever frames the message
 * anew announces trailers of its own; so do the fields of proxy authentication, which end at this proxy (§11.7).
 *
 * A `Connection` that names a field meant for all recipients is wrong by §7.6.1, and a way to have a field removed that
 * another intermediary added or that this one has already acted upon: such fields stay (see `protectedNames`).
 *
 * @param besides further names, in lower case, that are not passed on
 */
export function withoutHopByHop(fields: Fields, besides: ReadonlySet<string> = none): Fields {
  const nominated = connectionOptions(fields);
  if (nominated.size === 0) return fields.filter((name) => !isHopByHop(name) && !besides.has(name));
  return fields.filter(
    (name) => !isHopByHop(name) && !besides.has(name) && !(nominated.has(name) && !isProtected(name)),
  );
}

/** Whether a field, named in lower case, never goes further than one connection. */
export const isHopByHop = (name: string): boolean => always.has(name);

/** The options of all `Connection` lines, in lower case. Some of them (`close`, `keep-alive`) name no field. */
export function connectionOptions(fields: Fields): ReadonlySet<string> {
  const value = fields.get('connection');
  if (value === undefined) return none;
  // by far the most common one
  if (value === 'keep-alive') return keepAlive;
  // options are tokens: a quote does not keep a comma from separating
  const options = value.split(',').map((option) => option.trim().toLowerCase());
  return new Set(options.filter((option) => option !== ''));
}

const none: ReadonlySet<string> = new Set();
const keepAlive: ReadonlySet<string> = new Set(['keep-alive']);

const always: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const isProtected = (name: string): boolean =>
  protectedNames.has(name) || protectedPrefixes.some((prefix) => name.startsWith(prefix));

/** Fields that no `Connection` can have removed: they carry framing, routing, caching, credentials or provenance. */
const protectedNames: ReadonlySet<string> = new Set([
  'age',
  'allow',
  'authorization',
  'cache-control',
  'cache-groups',
  'cache-group-invalidation',
  'cache-status',
  'cdn-cache-control',
  'cdn-loop',
  'cookie',
  'date',
  'etag',
  'expect',
  'expires',
  'forwarded',
  'host',
  'last-modified',
  'location',
  'max-forwards',
  'origin',
  'pragma',
  'proxy-status',
  'range',
  'referer',
  'retry-after',
  'set-cookie',
  'strict-transport-security',
  'user-agent',
  'vary',
  'via',
  'www-authenticate',
  'x-frame-options',
  'x-real-ip',
]);

const protectedPrefixes: readonly string[] = ['accept', 'access-control-', 'content-', 'if-', 'sec-', 'x-forwarded-'];
