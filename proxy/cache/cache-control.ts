import { seconds, type Seconds } from '../../config/units.js';
import { trimOws, type Fields } from '../http/fields.js';
import { parseDeltaSeconds } from './delta-seconds.js';
import { readDirectives, type Directive } from './directive-list.js';
import { readTargetedDirectives } from './targeted-cache-control.js';

/** The response directives that govern a shared cache (RFC 9111 §5.2.2), from `CDN-Cache-Control` or `Cache-Control`. */
export interface ResponseDirectives {
  /** Which field they come from: RFC 9213's targeted field if it is there, valid and not empty. */
  readonly source: 'cdn-cache-control' | 'cache-control';
  readonly noStore: boolean;
  /** true: unqualified; a list: only those fields (lower case). */
  readonly private: boolean | readonly string[];
  readonly noCache: boolean | readonly string[];
  readonly public: boolean;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly mustUnderstand: boolean;
  readonly noTransform: boolean;
  /** 'invalid' if present but without a usable value: such a response is to be taken as stale (§4.2.1). */
  readonly maxAge: Seconds | 'invalid' | null;
  readonly sMaxage: Seconds | 'invalid' | null;
  readonly staleWhileRevalidate: Seconds | null;
  readonly staleIfError: Seconds | null;
}

/** The request directives (RFC 9111 §5.2.1). */
export interface RequestDirectives {
  readonly noStore: boolean;
  /** Also `Pragma: no-cache` where there is no `Cache-Control` (§5.4). */
  readonly noCache: boolean;
  readonly onlyIfCached: boolean;
  readonly noTransform: boolean;
  readonly maxAge: Seconds | null;
  readonly minFresh: Seconds | null;
  /** Infinity for `max-stale` without a value. */
  readonly maxStale: Seconds | null;
  readonly staleIfError: Seconds | null;
}

/**
 * What a response says to a shared cache: by `CDN-Cache-Control` if that is there, valid and not empty, which then
 * replaces `Cache-Control` (RFC 9213 §2.2), otherwise by `Cache-Control` (RFC 9111 §5.2.2). A cache that does not act for
 * the origin server, such as a forward proxy, is not addressed by `CDN-Cache-Control` (RFC 9213 §3).
 *
 * Unknown directives are ignored. What cannot be read for certain is read as the stricter meaning: a freshness directive
 * as 'invalid', a qualified form as the unqualified one, and permissions (`public`, `must-understand`) as not given.
 */
export function parseResponseDirectives(fields: Fields, actsForOrigin = true): ResponseDirectives {
  const targeted = actsForOrigin ? fields.get('cdn-cache-control') : undefined;
  const fromTargeted = targeted === undefined ? null : readTargetedDirectives(targeted);
  if (fromTargeted !== null) return responseDirectives('cdn-cache-control', fromTargeted);
  const lines = fields.all('cache-control');
  const [only] = lines;
  if (only === undefined) return noResponseDirectives;
  return lines.length === 1 ? ofOneLine(only) : responseDirectives('cache-control', readDirectives(lines));
}

/**
 * What a request says to a cache (RFC 9111 §5.2.1), and `Pragma: no-cache` where there is no `Cache-Control` (§5.4). An
 * unusable `max-age` counts as 0, any other unusable argument as if the directive were absent.
 */
export function parseRequestDirectives(fields: Fields): RequestDirectives {
  const lines = fields.all('cache-control');
  if (lines.length === 0) return pragmaNoCache(fields) ? onlyNoCache : noRequestDirectives;
  const list = readDirectives(lines);
  const maxAge = delta(list, 'max-age');
  return {
    noStore: isPresent(list, 'no-store'),
    noCache: isPresent(list, 'no-cache'),
    onlyIfCached: isPresent(list, 'only-if-cached'),
    noTransform: isPresent(list, 'no-transform'),
    maxAge: maxAge === 'invalid' ? seconds(0) : maxAge,
    minFresh: usableDelta(list, 'min-fresh'),
    maxStale: maxStale(list),
    staleIfError: usableDelta(list, 'stale-if-error'),
  };
}

/** What was lately read, by line. An origin server has few different ones: they are read once, and kept once. */
const remembered = new Map<string, ResponseDirectives>();
const mostRemembered = 64;
const longestRemembered = 128;

function ofOneLine(line: string): ResponseDirectives {
  const known = remembered.get(line);
  if (known !== undefined) return known;
  const read = responseDirectives('cache-control', readDirectives([line]));
  if (remembered.size >= mostRemembered) remembered.clear();
  if (line.length <= longestRemembered) remembered.set(line, read);
  return read;
}

function responseDirectives(source: ResponseDirectives['source'], list: readonly Directive[]): ResponseDirectives {
  return {
    source,
    noStore: isPresent(list, 'no-store'),
    private: fieldNames(list, 'private'),
    noCache: fieldNames(list, 'no-cache'),
    public: isWellFormed(list, 'public'),
    mustRevalidate: isPresent(list, 'must-revalidate'),
    proxyRevalidate: isPresent(list, 'proxy-revalidate'),
    mustUnderstand: isWellFormed(list, 'must-understand'),
    noTransform: isPresent(list, 'no-transform'),
    maxAge: delta(list, 'max-age'),
    sMaxage: delta(list, 's-maxage'),
    staleWhileRevalidate: usableDelta(list, 'stale-while-revalidate'),
    staleIfError: usableDelta(list, 'stale-if-error'),
  };
}

const isPresent = (list: readonly Directive[], name: string): boolean => list.some((one) => one.name === name);

const isWellFormed = (list: readonly Directive[], name: string): boolean =>
  list.some((one) => one.name === name && !one.malformed && one.argument === null);

/** Of several, the first counts (RFC 9111 §4.2.1). */
function delta(list: readonly Directive[], name: string): Seconds | 'invalid' | null {
  const first = list.find((one) => one.name === name);
  if (first === undefined) return null;
  return first.malformed || first.argument === null ? 'invalid' : (parseDeltaSeconds(first.argument) ?? 'invalid');
}

function usableDelta(list: readonly Directive[], name: string): Seconds | null {
  const value = delta(list, name);
  return value === 'invalid' ? null : value;
}

function maxStale(list: readonly Directive[]): Seconds | null {
  const first = list.find((one) => one.name === 'max-stale');
  if (first === undefined || first.malformed) return null;
  return first.argument === null ? seconds(Infinity) : parseDeltaSeconds(first.argument);
}

/** RFC 9111 §5.2.2.4 and §5.2.2.7: all names together; true if one occurrence is, or must be taken as, unqualified. */
function fieldNames(list: readonly Directive[], name: string): boolean | readonly string[] {
  const all = new Set<string>();
  let found = false;
  for (const one of list) {
    if (one.name !== name) continue;
    found = true;
    const names = one.argument === null ? null : splitNames(one.argument);
    if (names === null) return true;
    for (const each of names) all.add(each);
  }
  return found && [...all];
}

/** Null if there is no name, or something that is none. */
function splitNames(argument: string): string[] | null {
  const names = argument.split(',').map((name) => trimOws(name).toLowerCase());
  const filled = names.filter((name) => name !== '');
  return filled.length > 0 && filled.every((name) => isFieldName.test(name)) ? filled : null;
}

const pragmaNoCache = (fields: Fields): boolean =>
  fields.has('pragma') && fields.list('pragma').some((member) => member.toLowerCase() === 'no-cache');

const isFieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

const noResponseDirectives: ResponseDirectives = responseDirectives('cache-control', []);

const noRequestDirectives: RequestDirectives = {
  noStore: false,
  noCache: false,
  onlyIfCached: false,
  noTransform: false,
  maxAge: null,
  minFresh: null,
  maxStale: null,
  staleIfError: null,
};
const onlyNoCache: RequestDirectives = { ...noRequestDirectives, noCache: true };
