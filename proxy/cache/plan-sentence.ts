import type { CacheRule } from '../../config/schema.js';
import { seconds, type EpochMs, type Seconds } from '../../config/units.js';
import { readableDuration } from '../base/readable-units.js';
import type { Reason } from './answering.js';
import type { RequestDirectives } from './cache-control.js';
import { currentAge, remainingLifetime } from './freshness.js';
import type { Plan, PlannedRequest } from './plan.js';
import { staleForbidden, type ValidateReason } from './reuse.js';
import type { StoredResponse } from './stored-response.js';
import { completionFor } from './wanted.js';

export interface PlanSentenceInput {
  readonly request: PlannedRequest;
  readonly directives: RequestDirectives;
  readonly rule: CacheRule | null;
  /** All that is stored under the key. */
  readonly candidates: readonly StoredResponse[];
  /** Whether the last answers could serve more than one request. */
  readonly shareable: boolean;
  readonly now: EpochMs;
}

/** What a plan does and why, in words for people. */
export function planSentence(plan: Plan, input: PlanSentenceInput): string {
  switch (plan.kind) {
    case 'hit':
      return `Answered from the store: ${reasonForHit(plan.stored, plan.why, input)}.`;
    case 'hit-and-validate':
      return `Answered from the store at once and validated behind the answer: ${staleFor(plan.stored, input)}, within its stale-while-revalidate (RFC 5861 §3).`;
    case 'complete':
      return completionFor(plan.stored, input.request, input.now) === null
        ? 'Forwarded: a part is stored that lacks bytes which the request wants, and cannot be completed by one range of the same representation (RFC 9111 §3.4).'
        : 'Completed: a part is stored that lacks bytes which the request wants; the origin server is asked for those (RFC 9111 §3.3).';
    case 'validate':
      return plan.stored === null
        ? `Forwarded: ${varyMiss(input)}.`
        : `Validated: ${reasonForValidation(plan.stored, plan.why, input)}.`;
    case 'fetch':
      return `Forwarded: nothing is stored under this key${input.shareable ? '' : ', and an answer of late could serve no other request'}.`;
    case 'bypass':
      return `Forwarded past the store: ${reasonForBypass(plan.reason, input)}.`;
    case 'refuse':
      return `Refused with 504: the request wants nothing but a stored response (only-if-cached, RFC 9111 §5.2.1.7), and ${reasonForRefusal(plan.reason, input)}.`;
  }
}

function reasonForHit(stored: StoredResponse, why: 'fresh' | 'max-stale', input: PlanSentenceInput): string {
  return why === 'fresh'
    ? `the stored response is fresh for another ${readableDuration(whole(remainingLifetime(stored.freshness, input.now)))}`
    : `${staleFor(stored, input)}, which the request accepts by max-stale (RFC 9111 §5.2.1.2)`;
}

function reasonForValidation(stored: StoredResponse, why: ValidateReason, input: PlanSentenceInput): string {
  const { directives, now } = input;
  const age = readableDuration(whole(currentAge(stored.freshness, now)));
  const freshFor = readableDuration(whole(remainingLifetime(stored.freshness, now)));
  switch (why) {
    case 'stale':
      return `${staleFor(stored, input)}${staleForbidden(stored.freshness) ? ', and the origin server forbids its use when stale' : ''}`;
    case 'no-cache':
      return 'the response says no-cache, which wants each use validated (RFC 9111 §5.2.2.4)';
    case 'invalidated':
      return 'it was invalidated: a request changed it, or a cache group of it, at the origin server (RFC 9111 §4.4)';
    case 'request-no-cache':
      return 'the request says no-cache (RFC 9111 §5.2.1.4)';
    case 'request-max-age':
      return `it is ${age} old, and the request accepts ${readableDuration(directives.maxAge ?? seconds(0))} (max-age, RFC 9111 §5.2.1.1)`;
    case 'request-min-fresh':
      return `it is fresh for another ${freshFor}, and the request wants ${readableDuration(directives.minFresh ?? seconds(0))} (min-fresh, RFC 9111 §5.2.1.3)`;
  }
}

function staleFor(stored: StoredResponse, { now }: PlanSentenceInput): string {
  const { freshness } = stored;
  if (now < freshness.responseTime) return 'the clock was set back since it came, so that its age is not known';
  const since = readableDuration(whole(seconds(0 - remainingLifetime(freshness, now))));
  if (freshness.lifetimeSource === 'purged') return `it was purged softly and has been stale for ${since}`;
  return `it has been stale for ${since}`;
}

function varyMiss({ candidates }: PlanSentenceInput): string {
  const names = [...new Set(candidates.flatMap(({ selecting }) => selecting.names))];
  const stored = candidates.length === 1 ? 'the stored response' : `none of the ${candidates.length} stored responses`;
  const matches = candidates.length === 1 ? 'does not match' : 'matches';
  return `${stored} ${matches} the request's ${listed(names)} (Vary, RFC 9111 §4.1)`;
}

function reasonForBypass({ fwd, detail }: Reason, { request, rule }: PlanSentenceInput): string {
  if (fwd === 'method') return `${request.method} requests are not answered from it (RFC 9111 §4)`;
  if (detail === 'rule') return `the rule for ${rule?.match ?? 'it'} says that nothing is stored`;
  if (detail === 'precondition') return 'its precondition is for the origin server to judge (RFC 9111 §4.3.2)';
  return 'it has content';
}

function reasonForRefusal(reason: Reason, input: PlanSentenceInput): string {
  switch (reason.fwd) {
    case 'uri-miss':
      return 'nothing is stored under this key';
    case 'vary-miss':
      return varyMiss(input);
    case 'partial':
      return 'the stored part lacks bytes which the request wants';
    case 'stale':
    case 'request':
      return `what is stored would have to be validated${reason.detail === undefined ? '' : ` (${reason.detail})`}`;
    case 'method':
    case 'bypass':
    case 'miss':
      return reasonForBypass(reason, input);
  }
}

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;

/** As `Age` and `ttl` tell it. */
const whole = (duration: Seconds): Seconds => seconds(Math.floor(duration));
