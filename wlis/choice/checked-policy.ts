import { elapsedMonotonic, milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Candidate, ChoicePolicy, Ranked } from './choice.js';

export interface CheckedPolicyOptions {
  /** Of somebody else; whatever it does, the choice goes on. */
  readonly policy: ChoicePolicy;
  readonly instead: ChoicePolicy;
  /** Where it comes from, for the log. */
  readonly path: string;
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/**
 * A policy that may be wrong: where it throws, or gives what is no order of the candidates, another one takes its place for
 * that choice, and the log says so, once a minute at most. Candidates that it left out come behind those that it named.
 */
export function checkedPolicy({ policy, instead, path, logger, clock }: CheckedPolicyOptions): ChoicePolicy {
  let toldAt: MonotonicMs | null = null;
  let faults = 0;
  const tell = (error: unknown): void => {
    faults++;
    const now = clock.monotonic();
    if (toldAt !== null && elapsedMonotonic(toldAt, now) < betweenTellings) return;
    toldAt = now;
    logger.warn(
      { code: 'choice-failed', path, error, faults },
      'the module of the operator chose nothing; nearest did',
    );
  };
  return (candidates, question, chance) => {
    try {
      return completed(policy(frozen(candidates), question, chance), candidates);
    } catch (error) {
      tell(error);
      return instead(candidates, question, chance);
    }
  };
}

const betweenTellings = milliseconds(60_000);

/** It cannot add to the list that others go on with. */
const frozen = (candidates: readonly Candidate[]): readonly Candidate[] => Object.freeze([...candidates]);

/** @throws Error that says what is wrong */
function completed(given: unknown, candidates: readonly Candidate[]): readonly Ranked[] {
  if (!Array.isArray(given)) throw new Error('it gave no list');
  const left = new Set(candidates);
  const ranked = (given as unknown[]).map((one): Ranked => {
    const { candidate, score } = Object(one) as Partial<Ranked>;
    if (candidate === undefined || !left.delete(candidate)) {
      throw new Error('it gave something that is none of the candidates, or one of them twice');
    }
    if (typeof score !== 'number' || Number.isNaN(score))
      throw new Error(`its score for ${candidate.url} is no number`);
    return { candidate, score };
  });
  return [...ranked, ...[...left].map((candidate) => ({ candidate, score: Infinity }))];
}
