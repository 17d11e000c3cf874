import {
  elapsed,
  epochMs,
  milliseconds,
  seconds,
  toSeconds,
  type EpochMs,
  type Milliseconds,
  type Seconds,
} from '../../config/units.js';
import type { Fields } from '../http/fields.js';
import { parseHttpDate } from '../http/http-date.js';
import type { ResponseDirectives } from './cache-control.js';
import { parseDeltaSeconds } from './delta-seconds.js';
import { isDefinitiveNegative, isHeuristicallyCacheable } from './status-codes.js';

/** What determines how long a stored response is fresh, computed once when it is stored or freshened. */
export interface Freshness {
  /** RFC 9111 §4.2.1. */
  readonly lifetime: Seconds;
  readonly lifetimeSource: 's-maxage' | 'max-age' | 'expires' | 'rule' | 'heuristic' | 'negative' | 'purged' | 'none';
  /** corrected_initial_age of §4.2.3, at `responseTime`. */
  readonly initialAge: Seconds;
  readonly responseTime: EpochMs;
  readonly directives: ResponseDirectives;
}

/** What the operator decides where a response leaves it open. */
export interface FreshnessPolicy {
  /** Share of the time since the last modification for which a response counts as fresh (RFC 9111 §4.2.2). */
  readonly heuristicFraction: number;
  /** Longest heuristic lifetime. */
  readonly heuristicMax: Milliseconds;
  /** Lifetime of definitive negative answers that say nothing of their freshness. */
  readonly negative: Milliseconds;
  /** Lifetime of others that say nothing of it, by a rule of the operator; null: the share above. */
  readonly lifetime?: Milliseconds | null;
}

export interface FreshnessInput {
  readonly status: number;
  /** As received, with `Age` and `Date`. */
  readonly fields: Fields;
  readonly directives: ResponseDirectives;
  /** Local time when the request was sent, and when the response's head was received. */
  readonly requestTime: EpochMs;
  readonly responseTime: EpochMs;
  readonly policy: FreshnessPolicy;
}

/** Freshness lifetime (RFC 9111 §4.2.1, §4.2.2) and initial age (§4.2.3) of a response, for a shared cache. */
export function computeFreshness(input: FreshnessInput): Freshness {
  const { directives, responseTime } = input;
  const date = dateOf(input.fields, responseTime);
  const { lifetime, lifetimeSource } = explicitLifetime(input, date) ?? implicitLifetime(input, date);
  return { lifetime, lifetimeSource, initialAge: initialAge(input, date), responseTime, directives };
}

/** current_age of RFC 9111 §4.2.3, not rounded. A clock that was set back makes nothing younger than it came. */
export const currentAge = (freshness: Freshness, now: EpochMs): Seconds =>
  seconds(freshness.initialAge + Math.max(0, toSeconds(elapsed(freshness.responseTime, now))));

/** RFC 9111 §4.2: fresh while its lifetime is greater than its current age. */
export const isFresh = (freshness: Freshness, now: EpochMs): boolean => freshness.lifetime > currentAge(freshness, now);

/** How long a response will still be fresh; negative: how long it has been stale. Not rounded. */
export const remainingLifetime = (freshness: Freshness, now: EpochMs): Seconds =>
  seconds(freshness.lifetime - currentAge(freshness, now));

/**
 * The freshness of a response whose lifetime an operator ended at that moment: stale from then on, or for as long as it
 * has been already, whatever the clock will show.
 */
export function endedAt(freshness: Freshness, moment: EpochMs): Freshness {
  const age = currentAge(freshness, moment);
  return {
    lifetime: seconds(Math.min(freshness.lifetime, age)),
    lifetimeSource: 'purged',
    initialAge: age,
    responseTime: epochMs(Math.max(freshness.responseTime, moment)),
    directives: freshness.directives,
  };
}

type Lifetime = Pick<Freshness, 'lifetime' | 'lifetimeSource'>;

/** RFC 9111 §4.2.1; null if the response leaves its lifetime open. */
function explicitLifetime({ directives, fields, responseTime }: FreshnessInput, date: EpochMs): Lifetime | null {
  const { sMaxage, maxAge } = directives;
  if (sMaxage !== null) return sMaxage === 'invalid' ? stale : { lifetime: sMaxage, lifetimeSource: 's-maxage' };
  if (maxAge !== null) return maxAge === 'invalid' ? stale : { lifetime: maxAge, lifetimeSource: 'max-age' };
  // a targeted field replaces Expires too (RFC 9213 §2.2)
  const expires = directives.source === 'cache-control' ? fields.first('expires') : undefined;
  if (expires === undefined) return null;
  // an invalid date, "0" above all, is a time in the past (RFC 9111 §5.3)
  const time = parseHttpDate(expires, responseTime) ?? date;
  return { lifetime: seconds(Math.max(0, toSeconds(elapsed(date, time)))), lifetimeSource: 'expires' };
}

function implicitLifetime(input: FreshnessInput, date: EpochMs): Lifetime {
  const { status, fields, directives, responseTime, policy } = input;
  if (isDefinitiveNegative(status)) return { lifetime: toSeconds(policy.negative), lifetimeSource: 'negative' };
  if (!isHeuristicallyCacheable(status) && !directives.public) return stale;
  if (policy.lifetime != null) return { lifetime: toSeconds(policy.lifetime), lifetimeSource: 'rule' };
  const modified = parseHttpDate(fields.first('last-modified') ?? '', responseTime);
  if (modified === null || modified > Math.min(date, responseTime)) return stale;
  const share = elapsed(modified, date) * policy.heuristicFraction;
  return { lifetime: toSeconds(milliseconds(Math.min(share, policy.heuristicMax))), lifetimeSource: 'heuristic' };
}

/** corrected_initial_age of RFC 9111 §4.2.3. */
function initialAge({ fields, requestTime, responseTime }: FreshnessInput, date: EpochMs): Seconds {
  // Date has no fractions: half a second past it is not yet an age of half a second
  const apparent = Math.max(0, Math.floor(toSeconds(elapsed(date, responseTime))));
  const delay = Math.max(0, toSeconds(elapsed(requestTime, responseTime)));
  return seconds(Math.max(apparent, ageValue(fields) + delay));
}

/** RFC 9111 §5.1: of several members the first counts; what is no non-negative integer is ignored. */
function ageValue(fields: Fields): Seconds {
  const [first] = fields.list('age');
  return (first === undefined ? null : parseDeltaSeconds(first)) ?? seconds(0);
}

/** RFC 9110 §6.6.1: a response without a usable Date was generated when it was received. */
const dateOf = (fields: Fields, responseTime: EpochMs): EpochMs =>
  parseHttpDate(fields.first('date') ?? '', responseTime) ?? responseTime;

const stale: Lifetime = { lifetime: seconds(0), lifetimeSource: 'none' };
