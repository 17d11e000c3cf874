import type { EpochMs } from '../../config/units.js';
import type { Fields } from '../http/fields.js';
import { parseHttpDate } from '../http/http-date.js';
import { normaliseField } from './accept-normalisation.js';
import { isFresh, type Freshness } from './freshness.js';

/** The selecting header fields of a stored response: what its `Vary` nominated, and the values it was stored under. */
export interface SelectingFields {
  /** Lower-case names, sorted, without repetition. */
  readonly names: readonly string[];
  /** The normalised value of each in the request that was answered; null where the request had no such field. */
  readonly values: readonly (string | null)[];
}

/**
 * What the `Vary` lines of a response nominate, in lower case, sorted, each once; `*` if any member is `*`, or is no
 * field name, so that nobody can tell what selects (RFC 9110 §12.5.5).
 */
export function varyNames(responseFields: Fields): readonly string[] | '*' {
  const value = responseFields.get('vary');
  if (value === undefined) return none;
  const names = new Set<string>();
  for (const member of value.split(',')) {
    const name = member.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase();
    if (name === '') continue;
    if (name === '*' || !isToken.test(name)) return '*';
    names.add(name);
  }
  return [...names].sort();
}

/** What a response to that request is to be stored under; null if it can never be selected (RFC 9111 §4.1). */
export function selectingFieldsOf(responseFields: Fields, requestFields: Fields): SelectingFields | null {
  const names = varyNames(responseFields);
  if (names === '*') return null;
  if (names.length === 0) return nothingSelects;
  return { names, values: names.map((name) => normaliseField(name, requestFields.get(name) ?? null)) };
}

/** Whether the nominated fields of a request match those of the request that was answered (RFC 9111 §4.1). */
export function selects(selecting: SelectingFields, requestFields: Fields): boolean {
  const { names, values } = selecting;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (normaliseField(name, requestFields.get(name) ?? null) !== values[i]) return false;
  }
  return true;
}

/** As much of a stored response as selecting it depends on. */
export interface Candidate {
  readonly selecting: SelectingFields;
  readonly fields: Fields;
  readonly responseTime: EpochMs;
  readonly freshness: Freshness;
}

export interface Selection<Of extends Candidate> {
  readonly selected: Of | null;
  /** Whether responses are stored that this request does not match: a miss is then a `vary-miss` (RFC 9211 §2.2). */
  readonly othersExist: boolean;
}

/**
 * The stored response that a request selects (RFC 9111 §4, §4.1): the most recent of those that match, by `Date`, then by
 * when it was received. As some servers leave `Vary` off their default response, one with `Vary` goes before those
 * without; but only while it is fresh, so that a server which gave up `Vary` is not asked for ever about what it was.
 */
export function selectStored<Of extends Candidate>(
  candidates: readonly Of[],
  requestFields: Fields,
  now: EpochMs,
): Selection<Of> {
  const [only] = candidates;
  if (only === undefined) return nothing;
  if (candidates.length === 1) {
    return selects(only.selecting, requestFields) ? { selected: only, othersExist: false } : miss;
  }
  const matching = candidates.filter((candidate) => selects(candidate.selecting, requestFields));
  return { selected: bestOf(matching, now), othersExist: matching.length < candidates.length };
}

function bestOf<Of extends Candidate>(matching: readonly Of[], now: EpochMs): Of | null {
  const [first = null] = matching;
  if (matching.length <= 1) return first;
  const varying = matching.filter((stored) => stored.selecting.names.length > 0 && isFresh(stored.freshness, now));
  return mostRecent(varying.length > 0 ? varying : matching);
}

/** The one with the latest `Date`, of several such the one received last; null of none (RFC 9111 §4). */
export function mostRecent<Of extends Candidate>(responses: readonly Of[]): Of | null {
  let best: Of | null = null;
  for (const stored of responses) if (best === null || isLater(stored, best)) best = stored;
  return best;
}

function isLater(a: Candidate, b: Candidate): boolean {
  const [dateA, dateB] = [dateOf(a), dateOf(b)];
  return dateA === dateB ? a.responseTime > b.responseTime : dateA > dateB;
}

const dateOf = (stored: Candidate): EpochMs =>
  parseHttpDate(stored.fields.first('date') ?? '', stored.responseTime) ?? stored.responseTime;

const nothing: Selection<never> = { selected: null, othersExist: false };
const miss: Selection<never> = { selected: null, othersExist: true };
const none: readonly string[] = [];
const nothingSelects: SelectingFields = { names: none, values: none };

const isToken = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
