import type { Fields } from '../http/fields.js';
import type { Freshness } from './freshness.js';
import { varyNames } from './vary.js';

/**
 * Whether an error may have been provoked by the one request that it answers, so that others must not get it: some client
 * adds a field that the origin server chokes on, and the error takes the place of the document for all ("cache-poisoned
 * denial of service").
 *
 * 1. An error that does not say how long it is fresh, to a request with a field out of the ordinary that servers are
 *    known to act upon, by its name, and that the response's `Vary` does not nominate.
 * 2. An error that is about the request's own form, whatever it says, to a request with very much in its fields.
 *
 * @param sent the fields of the request as they were forwarded
 */
export function mayBeProvoked(
  sent: Fields,
  response: { readonly status: number; readonly fields: Fields; readonly freshness: Pick<Freshness, 'lifetimeSource'> },
): boolean {
  const { status, fields, freshness } = response;
  if (status < 400) return false;
  if (aboutForm.has(status) && sent.wire().length > largeFields) return true;
  if (explicit.has(freshness.lifetimeSource)) return false;
  const nominated = varyNames(fields);
  for (const name of sent.names()) {
    if (!isOrdinary(name) && !nominated.includes(name)) return true;
  }
  return false;
}

/** Fields of private agreement (`X-…`), and those whose names speak of the request being another than it seems. */
const isOrdinary = (name: string): boolean =>
  ordinary.has(name) || ordinaryPrefixes.some((one) => name.startsWith(one)) || !actedUpon.test(name);

const actedUpon =
  /^x-|override|original|rewrite|forward|method|host|url|uri|scheme|proto|port|expect|content-|transfer/;

/** All fields of a request together, in bytes; some servers refuse more than this. */
const largeFields = 8 * 1024;

const explicit: ReadonlySet<Freshness['lifetimeSource']> = new Set(['s-maxage', 'max-age', 'expires']);

/** 494 is nginx's for fields too large. */
const aboutForm: ReadonlySet<number> = new Set([400, 413, 414, 415, 417, 431, 494, 501]);

/** What every browser, download tool and intermediary sends. */
const ordinary: ReadonlySet<string> = new Set([
  'host',
  'user-agent',
  'referer',
  'cookie',
  'cache-control',
  'pragma',
  'connection',
  'te',
  'upgrade-insecure-requests',
  'dnt',
  'origin',
  'priority',
  'via',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-requested-with',
  'cdn-loop',
  'max-forwards',
  'range',
  'keep-alive',
  'proxy-connection',
  'purpose',
  'save-data',
]);
const ordinaryPrefixes: readonly string[] = ['accept', 'sec-', 'if-'];
