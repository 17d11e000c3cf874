import type { EpochMs } from '../../config/units.js';
import { parseEntityTag } from '../http/entity-tag.js';
import type { Fields } from '../http/fields.js';
import { isHopByHop } from '../http/hop-by-hop.js';
import { formatHttpDate, parseHttpDate } from '../http/http-date.js';
import { parseContentRange } from '../http/range.js';
import type { RequestDirectives, ResponseDirectives } from './cache-control.js';
import type { Freshness } from './freshness.js';
import { staleForbidden } from './reuse.js';
import { isHeuristicallyCacheable, isNeverStored, isUnderstood } from './status-codes.js';
import { strongValidatorOf } from './strong-validator.js';
import { varyNames } from './vary.js';

export interface StorabilityInput {
  readonly request: { readonly method: string; readonly fields: Fields; readonly hasBody: boolean };
  readonly response: { readonly status: number; readonly fields: Fields };
  readonly directives: ResponseDirectives;
  readonly requestDirectives: RequestDirectives;
  readonly freshness: Freshness;
  /** The target URI, and `Content-Location` resolved against it, both spelt alike; null if there is none. */
  readonly targetHref: string;
  readonly contentLocationHref: string | null;
}

export type Storability = { readonly store: true } | { readonly store: false; readonly reason: NotStorable };

export type NotStorable =
  /** only GET, and POST as far as RFC 9110 §9.3.3 goes */
  | 'method'
  /** a GET with content: who knows what it means (RFC 9110 §9.3.1) */
  | 'request-body'
  | 'request-no-store'
  /** interim, 304, or about one message only */
  | 'status'
  | 'must-understand'
  | 'no-store'
  | 'private'
  /** names a field without which the stored bytes would be misread */
  | 'no-cache'
  | 'authorization'
  /** `*`, or a field in which the origin server sees something else than this node receives */
  | 'vary'
  /** a 206 in several parts */
  | 'multipart'
  /** a 206 that does not say which bytes it brings */
  | 'content-range'
  /** a 206 of unknown whole and without a strong validator: nothing could be added to it */
  | 'no-validator'
  /** neither explicit freshness nor a heuristically cacheable status */
  | 'not-cacheable'
  /** a cookie, and nothing that says others may have it */
  | 'set-cookie'
  /** could never be reused without being fetched again */
  | 'useless'
  /** nothing proves it, where what others get is proven */
  | 'unproven';

/** Whether a shared cache stores a response, or what an update has made of a stored one (RFC 9111 §3), otherwise the first reason found against it. */
export function storability(input: StorabilityInput): Storability {
  const reason =
    againstRequest(input) ??
    againstStatus(input) ??
    againstDirectives(input) ??
    againstFields(input) ??
    againstPart(input) ??
    againstFreshness(input);
  return reason === null ? storable : { store: false, reason };
}

/**
 * The fields of a response as they are stored (RFC 9111 §3.1): all end-to-end ones but those about the one message
 * (`Age`, `Content-Length`, `Content-Range`), and those that a qualified `private` or `no-cache` names. `Date` is added if
 * there is none that can be read (RFC 9110 §6.6.1). Given the status, `Content-Range` is kept where it has no meaning,
 * which is everywhere but in a 206 (RFC 9110 §14.4).
 */
export function storedFields(
  fields: Fields,
  directives: ResponseDirectives,
  responseTime: EpochMs,
  status: number = 206,
): Fields {
  const kept = fields.filter((name) => {
    if (isHopByHop(name) || notStored.has(name)) return false;
    if (isNamed(directives.private, name) || isNamed(directives.noCache, name)) return false;
    return name !== 'content-range' || status !== 206;
  });
  const date = parseHttpDate(kept.first('date') ?? '', responseTime);
  return date === null ? kept.without('date').plus('Date', formatHttpDate(responseTime)) : kept;
}

function againstRequest({ request, requestDirectives }: StorabilityInput): NotStorable | null {
  if (request.method !== 'GET' && request.method !== 'POST') return 'method';
  if (request.method === 'GET' && request.hasBody) return 'request-body';
  return requestDirectives.noStore ? 'request-no-store' : null;
}

function againstStatus(input: StorabilityInput): NotStorable | null {
  const { request, response, freshness } = input;
  if (isNeverStored(response.status)) return 'status';
  if (request.method !== 'POST') return null;
  // only where the answer is the current representation of the target, it can answer a GET (RFC 9110 §9.3.3)
  const isRepresentation = response.status === 200 && input.contentLocationHref === input.targetHref;
  return isRepresentation && explicitlyFresh(freshness) ? null : 'method';
}

function againstDirectives({ request, response, directives }: StorabilityInput): NotStorable | null {
  const { status, fields } = response;
  if (directives.mustUnderstand && !isUnderstood(status)) return 'must-understand';
  // must-understand, where it is heeded, replaces no-store (RFC 9111 §5.2.2.3)
  if (directives.noStore && !directives.mustUnderstand) return 'no-store';
  if (directives.private === true || namesIndispensable(directives.private, fields)) return 'private';
  if (namesIndispensable(directives.noCache, fields)) return 'no-cache';
  return request.fields.has('authorization') && !allowsAuthorization(directives) ? 'authorization' : null;
}

/** RFC 9111 §3.5. */
const allowsAuthorization = ({ public: isPublic, mustRevalidate, sMaxage }: ResponseDirectives): boolean =>
  isPublic || mustRevalidate || typeof sMaxage === 'number';

/** Fields that a qualified directive withholds, but without which the body means something else. */
function namesIndispensable(names: boolean | readonly string[], fields: Fields): boolean {
  return typeof names === 'object' && names.some((name) => indispensable.has(name) && fields.has(name));
}

function againstFields({ response, directives, freshness }: StorabilityInput): NotStorable | null {
  const nominated = varyNames(response.fields);
  if (nominated === '*' || nominated.some((name) => rewritten.has(name))) return 'vary';
  const withheld = isNamed(directives.private, 'set-cookie') || isNamed(directives.noCache, 'set-cookie');
  if (!response.fields.has('set-cookie') || withheld) return null;
  return directives.public || explicitlyFresh(freshness) ? null : 'set-cookie';
}

/** RFC 9111 §3.3, RFC 9110 §15.3.7. */
function againstPart({ response, freshness }: StorabilityInput): NotStorable | null {
  const { status, fields } = response;
  if (status !== 206) return null;
  if (/^multipart\/byteranges\b/i.test(fields.first('content-type') ?? '')) return 'multipart';
  const ranges = fields.all('content-range');
  const range = ranges.length === 1 ? parseContentRange(ranges[0] ?? '') : null;
  if (range === null || 'unsatisfied' in range) return 'content-range';
  const length = fields.first('content-length');
  if (length !== undefined && length !== String(range.to - range.from)) return 'content-range';
  return range.length === null && strongValidatorOf(fields, freshness.responseTime) === null ? 'no-validator' : null;
}

function againstFreshness({ response, directives, freshness }: StorabilityInput): NotStorable | null {
  const { status, fields } = response;
  if (!isHeuristicallyCacheable(status) && !saysFreshness(fields, directives)) return 'not-cacheable';
  if (freshness.lifetime > 0 && directives.noCache !== true) return null;
  const { staleWhileRevalidate, staleIfError } = directives;
  const usableStale = (staleWhileRevalidate ?? 0) > 0 || (staleIfError ?? 0) > 0;
  if (usableStale && !staleForbidden(freshness) && status < 400) return null;
  // preconditions are evaluated only where the answer would be a 2xx one (RFC 9110 §13.2.1)
  return status < 300 && hasValidator(fields, freshness.responseTime) ? null : 'useless';
}

/** RFC 9111 §3: what makes a response storable whatever its status. */
function saysFreshness(fields: Fields, directives: ResponseDirectives): boolean {
  if (directives.public || directives.maxAge !== null || directives.sMaxage !== null) return true;
  return directives.source === 'cache-control' && fields.has('expires');
}

/** Declared by the origin server to be fresh for some time. */
const explicitlyFresh = ({ lifetime, lifetimeSource }: Freshness): boolean =>
  lifetime > 0 && (lifetimeSource === 's-maxage' || lifetimeSource === 'max-age' || lifetimeSource === 'expires');

const hasValidator = (fields: Fields, at: EpochMs): boolean =>
  parseEntityTag(fields.first('etag') ?? '') !== null ||
  parseHttpDate(fields.first('last-modified') ?? '', at) !== null;

const isNamed = (names: boolean | readonly string[], name: string): boolean =>
  typeof names === 'object' && names.includes(name);

const indispensable: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-range',
  'content-type',
  'cache-control',
  'cdn-cache-control',
  'expires',
  'vary',
]);

/** What the address of the peer is written into: two requests with equal fields differ for the origin server. */
const rewritten: ReadonlySet<string> = new Set(['forwarded', 'x-forwarded-for']);

/** Beside those of the connection; what `Connection` named has gone before. */
const notStored: ReadonlySet<string> = new Set(['age', 'content-length']);

const storable: Storability = { store: true };
