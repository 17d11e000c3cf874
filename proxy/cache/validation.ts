import {
  formatEntityTag,
  parseEntityTag,
  parseEntityTagList,
  stronglyEqual,
  weaklyEqual,
  type EntityTag,
} from '../http/entity-tag.js';
import type { Fields } from '../http/fields.js';
import { covers } from './partial.js';
import type { Interval, StoredResponse } from './stored-response.js';
import { mostRecent, selects } from './vary.js';

/**
 * The fields of the request that validates stored responses (RFC 9111 §4.3.1, §4.3.2).
 *
 * 1. Offered are `selected`, and for a different variant the others under its key that have an entity-tag and do not
 *    vary by coding; of a partial response only what holds all that is `wanted`; nothing if `selected` cannot be
 *    validated.
 * 2. `If-None-Match` is the union of the client's list and the tags offered. A client's `*` is left alone.
 * 3. `If-Modified-Since` is the `Last-Modified` of the only response offered, in place of the client's, which is answered
 *    from what then comes.
 * 4. `Range` and `If-Range` are left out if the whole is at hand, so that the answer is of use for the next request.
 *
 * With nothing to offer, the request's own fields are given back. `If-Match` and `If-Unmodified-Since` stay as they are:
 * they are the origin server's matter.
 */
export function conditionalFields(
  request: Fields,
  stored: readonly StoredResponse[],
  selected: StoredResponse | null,
  wanted: Interval | null = null,
): Fields {
  const listed = clientTags(request);
  const offered = offeredFor(stored, selected, wanted);
  const [first] = offered;
  if (first === undefined || listed === '*') return request;
  // If-Modified-Since is not looked at beside the client's own list (RFC 9110 §13.1.3)
  if (tagOf(first) === null && listed.length > 0) return request;
  const tags = union(listed, offered);
  const lastModified = offered.length === 1 ? first.fields.first('last-modified') : undefined;

  const wholeAtHand = selected?.complete === true;
  const leftOut = wholeAtHand ? conditionsAndRange : conditions;
  const lines: string[] = [];
  if (tags !== '') lines.push('If-None-Match', tags);
  if (lastModified !== undefined && (wholeAtHand || !request.has('range')))
    lines.push('If-Modified-Since', lastModified);
  return request.filter((name) => !leftOut.has(name)).plus(...lines);
}

/** The value of `If-None-Match` for the client's tags and those of stored responses, each once; empty for none. */
function union(listed: readonly EntityTag[], offered: readonly StoredResponse[]): string {
  const [first] = offered;
  if (first !== undefined && offered.length === 1 && listed.length === 0) {
    const only = tagOf(first);
    return only === null ? '' : formatEntityTag(only);
  }
  const all = [...listed, ...offered.flatMap((one) => tagOf(one) ?? [])];
  return [...new Set(all.map(formatEntityTag))].join(', ');
}

/** How many entity-tags of stored responses are offered in one request. */
const mostOffered = 16;

const conditions: ReadonlySet<string> = new Set(['if-none-match', 'if-modified-since']);
const conditionsAndRange: ReadonlySet<string> = new Set([...conditions, 'range', 'if-range']);

function offeredFor(
  stored: readonly StoredResponse[],
  selected: StoredResponse | null,
  wanted: Interval | null,
): StoredResponse[] {
  const usable = (one: StoredResponse): boolean =>
    isSuccess(one) && (one.complete || (wanted !== null && tagOf(one) !== null && covers(one.held, wanted)));
  if (selected !== null) {
    if (!usable(selected)) return [];
    if (tagOf(selected) === null) return selected.fields.has('last-modified') ? [selected] : [];
    if (stored.length === 1) return [selected];
  }
  const others = stored.filter((one) => one.id !== selected?.id && usable(one) && tagOf(one) !== null && !isCoded(one));
  return [...(selected === null ? [] : [selected]), ...others].slice(0, mostOffered);
}

/**
 * Whether it is one of several variants by coding. Servers that compress on the fly (nginx) judge a condition before they
 * compress: to the tag of one coding they answer 304 whatever coding the request prefers.
 */
const isCoded = ({ selecting }: StoredResponse): boolean => selecting.names.includes('accept-encoding');

/** Conditions are only looked at where the answer would otherwise be a success (RFC 9110 §13.2.1). */
const isSuccess = ({ status }: StoredResponse): boolean => status >= 200 && status < 300;

/** What an answer to a validating request means for it (RFC 9111 §4.3.3). */
export type ValidationResult =
  /** See `selectFor304`. */
  | 'not-modified'
  /** None of the responses offered is suitable: this one answers, and may be stored in their place. */
  | 'replace'
  /** Either forwarded, or taken as no answer at all, so that a stale response may stand in. */
  | 'server-error'
  /** About the request's own precondition or range, its client or the moment; it says nothing of stored responses. */
  | 'unrelated';

export function classifyValidation(status: number): ValidationResult {
  if (status === 304) return 'not-modified';
  if (status >= 500) return 'server-error';
  return unrelated.has(status) ? 'unrelated' : 'replace';
}

/** RFC 9110 §15.5.8, §15.5.9, §15.5.13, §15.5.17; RFC 8470 §5.2; RFC 6585 §4, §5. */
const unrelated: ReadonlySet<number> = new Set([407, 408, 412, 416, 425, 429, 431]);

/** A validation to which an answer came. */
export interface Validation {
  /** The client's fields, by which stored responses are selected. */
  readonly request: Fields;
  /** The fields that were sent: those of `conditionalFields`. */
  readonly sent: Fields;
  /** The response that the request selected, if any. */
  readonly validated: StoredResponse | null;
}

/**
 * The stored responses that a 304 updates (RFC 9111 §4.3.4). The first that applies:
 *
 * 1. it has a strong entity-tag: all with the same strong entity-tag;
 * 2. it has a weak validator (a `Last-Modified` counts as one): the most recent one with the same;
 * 3. it has none: the only one, if that has none either. Furthermore, as many servers leave their validators out, the
 *    validated one, if the request carried no validator but its own.
 *
 * @param stored all responses under the key; only those that the client's request selects, or whose tag was sent, count
 */
export function selectFor304(
  stored: readonly StoredResponse[],
  from304: Fields,
  validation: Validation,
): StoredResponse[] {
  const { request, sent, validated } = validation;
  const wasSent = (one: StoredResponse): boolean => isAmong(tagOf(one), tagsIn(sent));
  const initial = stored.filter((one) => isSuccess(one) && (selects(one.selecting, request) || wasSent(one)));
  const written = from304.first('etag');
  const lastModified = from304.first('last-modified');
  if (written !== undefined) {
    const tag = parseEntityTag(written);
    if (tag?.weak === false) return initial.filter((one) => isSame(tagOf(one), tag, stronglyEqual));
    return asList(mostRecent(initial.filter((one) => isSameWeak(one, written, tag))));
  }
  if (lastModified !== undefined) {
    const same = initial.filter((one) => one.fields.first('last-modified') === lastModified);
    return asList(mostRecent(same.filter((one) => selects(one.selecting, request))));
  }
  const [only] = initial;
  if (only !== undefined && initial.length === 1 && !hasValidator(only)) return [only];
  return initial.filter((one) => one.id === validated?.id && asksOnlyFor(one, sent));
}

/**
 * Whether a 304 that updates nothing still says that the validated response may answer this one request: it bears the
 * strong form of the weak tag that was asked for, as from servers that weaken their tags only when they compress.
 */
export function confirmsOnly(from304: Fields, { sent, validated }: Validation): boolean {
  const tag = parseEntityTag(from304.first('etag') ?? '');
  const mine = validated === null ? null : tagOf(validated);
  return tag !== null && mine !== null && isAmong(mine, tagsIn(sent)) && weaklyEqual(tag, mine);
}

/**
 * Whether a 304 answers the client's own condition, and may be passed on where no stored response is the answer: its
 * tag is in the client's list, or nothing but the client's conditions was sent (RFC 9111 §4.3.2).
 */
export function isForClient(from304: Fields, { request, sent }: Validation): boolean {
  const names = [...conditions];
  if (!names.some((name) => request.has(name))) return false;
  if (names.every((name) => request.get(name) === sent.get(name))) return true;
  const listed = clientTags(request);
  return isAmong(parseEntityTag(from304.first('etag') ?? ''), listed === '*' ? [] : listed);
}

const tagOf = (stored: StoredResponse): EntityTag | null => {
  const written = stored.fields.first('etag');
  return written === undefined ? null : parseEntityTag(written);
};

const hasValidator = (stored: StoredResponse): boolean =>
  stored.fields.has('etag') || stored.fields.has('last-modified');

/** The client's list; what is malformed in it can match nothing and is left out. */
function clientTags(request: Fields): readonly EntityTag[] | '*' {
  const value = request.get('if-none-match');
  return value === undefined ? [] : parseEntityTagList(value);
}

function tagsIn(sent: Fields): readonly EntityTag[] {
  const listed = clientTags(sent);
  return listed === '*' ? [] : listed;
}

const isAmong = (tag: EntityTag | null, tags: readonly EntityTag[]): boolean =>
  tag !== null && tags.some((one) => weaklyEqual(one, tag));

const isSame = (mine: EntityTag | null, tag: EntityTag, equal: typeof weaklyEqual): boolean =>
  mine !== null && equal(mine, tag);

/** Tags that are none by the grammar are compared as they are written. */
const isSameWeak = (stored: StoredResponse, written: string, tag: EntityTag | null): boolean =>
  tag === null ? stored.fields.first('etag') === written : isSame(tagOf(stored), tag, weaklyEqual);

const asList = <T>(one: T | null): T[] => (one === null ? [] : [one]);

/** Whether a request carried the validators of this stored response and no others. */
function asksOnlyFor(stored: StoredResponse, sent: Fields): boolean {
  const listed = sent.has('if-none-match') ? tagsIn(sent) : null;
  if (listed === null) return sent.first('if-modified-since') === (stored.fields.first('last-modified') ?? null);
  return listed.length === 1 && isAmong(tagOf(stored), listed);
}
