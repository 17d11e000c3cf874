import { seconds } from '../../config/units.js';
import { cacheStatus } from './cache-status.js';
import { remainingLifetime } from './freshness.js';
import type { Plan } from './plan.js';
import { planSentence, type PlanSentenceInput } from './plan-sentence.js';
import { mayServeStaleOnFailure, type ValidationFailure } from './reuse.js';
import { conditionalFields } from './validation.js';
import { completionFor, heldFor, wantedOf } from './wanted.js';

/** What the cache would do about a request now, told in advance. */
export interface NextStep {
  readonly plan: Plan['kind'];
  /** This cache's member of `Cache-Status`, as far as it is known before an answer has come. */
  readonly cacheStatus: string;
  /** The stored response that answers, or is to be validated or completed; null if none is. */
  readonly uses: string | null;
  readonly because: string;
  /** What is sent to the origin server so that its answer can be short; empty if nothing is. */
  readonly asks: readonly (readonly [name: string, value: string])[];
  /** What the client gets if the origin server cannot be reached, or answers 5xx; null if it is not waited for. */
  readonly onFailure: Readonly<Record<ValidationFailure, 'stale' | 'error'>> | null;
  /** Whether it waits for a forward that is under way, lets others wait for its own, or does neither. */
  readonly collapse: 'follows' | 'leads' | 'alone';
}

export interface NextStepInput extends PlanSentenceInput {
  /** This cache's name in `Cache-Status`. */
  readonly name: string;
  /** Whether a forward for the key is under way that a request may wait for. */
  readonly underWay: boolean;
}

export function nextStep(plan: Plan, input: NextStepInput): NextStep {
  return {
    plan: plan.kind,
    cacheStatus: statusOf(plan, input),
    uses: ('stored' in plan ? plan.stored?.id : null) ?? null,
    because: planSentence(plan, input),
    asks: asksOf(plan, input),
    onFailure: onFailure(plan, input),
    collapse: collapseOf(plan, input),
  };
}

function statusOf(plan: Plan, { name, now }: NextStepInput): string {
  if (plan.kind === 'hit' || plan.kind === 'hit-and-validate') {
    const ttl = seconds(Math.floor(remainingLifetime(plan.stored.freshness, now)));
    return cacheStatus(name, { hit: true, ttl, detail: plan.why === 'fresh' ? undefined : plan.why });
  }
  return cacheStatus(name, plan.kind === 'refuse' ? { fwd: 'miss', detail: 'not-cached' } : plan.reason);
}

/** The fields by which a forwarded request asks for less than the whole: RFC 9111 §4.3.1, §3.3. */
function asksOf(plan: Plan, { request, candidates, now }: NextStepInput): NextStep['asks'] {
  if (plan.kind === 'complete') {
    const ask = completionFor(plan.stored, request, now);
    return ask === null
      ? []
      : [
          ['Range', ask.range],
          ['If-Range', ask.ifRange],
        ];
  }
  if (plan.kind !== 'validate') return [];
  const wanted = plan.stored === null ? null : wantedOf(plan.stored, request, now);
  const sent = conditionalFields(request.fields, candidates, plan.stored, wanted === 'several' ? null : wanted);
  return pairs(sent.filter((name) => name === 'if-none-match' || name === 'if-modified-since').lines);
}

function pairs(lines: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let i = 0; i + 1 < lines.length; i += 2) result.push([lines[i] as string, lines[i + 1] as string]);
  return result;
}

function onFailure(plan: Plan, { request, directives, now }: NextStepInput): NextStep['onFailure'] {
  if (plan.kind === 'hit' || plan.kind === 'hit-and-validate' || plan.kind === 'refuse') return null;
  const answer = (failure: ValidationFailure): 'stale' | 'error' => {
    if (plan.kind !== 'validate' || plan.stored === null || !heldFor(plan.stored, request, now)) return 'error';
    return mayServeStaleOnFailure(plan.stored, plan.why, directives, failure, now) ? 'stale' : 'error';
  };
  return { unreachable: answer('unreachable'), 'server-error': answer('server-error') };
}

function collapseOf(plan: Plan, { underWay, shareable }: NextStepInput): NextStep['collapse'] {
  if (plan.kind === 'hit-and-validate') return underWay ? 'follows' : 'leads';
  if (!('collapse' in plan) || !plan.collapse) return 'alone';
  if (underWay) return 'follows';
  return shareable ? 'leads' : 'alone';
}
