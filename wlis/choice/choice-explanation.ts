import { elapsedMonotonic, type Bytes, type EpochMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { KnownNamespace } from '../directory/known-namespace.js';
import type { NodeHealth, Question, Ranked, Skipped } from './choice.js';
import type { GroupChooser } from './group-chooser.js';

/** From whom a request would be got, and why, as plain values for an operator. */
export interface ChoiceExplanation {
  readonly namespace: string;
  /** What chooses: `nearest`, or the path of a module. */
  readonly policy: string;
  /** Pattern of the rule that decides in its place; null if none does. */
  readonly rule: string | null;
  /** In the order in which they would be tried. */
  readonly candidates: readonly CandidateExplanation[];
  /** Those that are left out. */
  readonly skipped: readonly Skipped[];
}

export interface CandidateExplanation {
  readonly url: string;
  readonly role: 'primary' | 'replica' | 'mirror';
  /** Null for one that stands last in an order without a number. */
  readonly score: number | null;
  readonly latency: Milliseconds | null;
  /** How long ago that was measured; null: not in this life of the node. */
  readonly measuredBefore: Milliseconds | null;
  /** Bytes a second. */
  readonly bandwidth: Bytes | null;
  readonly load: { readonly value: number; readonly before: Milliseconds } | null;
  readonly underWay: number;
  readonly breaker: NodeHealth['breaker'];
  readonly failure: { readonly reason: string; readonly at: EpochMs; readonly detail: string | null } | null;
  readonly hourFactor: number;
  readonly capacity: number;
  /** Why it stands behind the others; null if it does not. */
  readonly lateBecause: string | null;
}

/** What the chooser would choose for a question, without choosing. */
export function explainChoice(chooser: GroupChooser, known: KnownNamespace, question: Question): ChoiceExplanation {
  const { ranked, skipped } = chooser.wouldChoose(known, question);
  const late = new Map(skipped.map(({ url, because }) => [url, because]));
  const asked = new Set(ranked.map(({ candidate }) => candidate.url));
  return {
    namespace: known.namespace,
    policy: chooser.name,
    rule: chooser.ruleFor(question.uri)?.match ?? null,
    candidates: ranked.map((one) => candidateExplained(one, late.get(one.candidate.url) ?? null, question.now)),
    skipped: skipped.filter(({ url }) => !asked.has(url)),
  };
}

/** @param lateBecause why it stands behind the others; null if it does not */
export function candidateExplained(
  { candidate, score }: Ranked,
  lateBecause: string | null,
  now: MonotonicMs,
): CandidateExplanation {
  const { url, role, capacity, health } = candidate;
  const { latency, measured, bandwidth, load, underWay, breaker, failure, hourFactor } = health;
  return {
    ...{ url, role, capacity, latency, bandwidth, underWay, breaker, failure, hourFactor, lateBecause },
    score: Number.isFinite(score) ? score : null,
    measuredBefore: measured === null ? null : elapsedMonotonic(measured, now),
    load: load === null ? null : { value: load.value, before: elapsedMonotonic(load.at, now) },
  };
}
