import type { Place } from '../trust/group-member.js';
import type { Candidate, ChoicePolicy, Question, Ranked } from './choice.js';
import { byScore } from './by-score.js';
import { companyOf, expectedTime } from './expected-time.js';

/**
 * The one whose answer is expected first. The score is that time in milliseconds. Of those that are about equally good two are
 * drawn, and the one with less to do goes first: so a good node is not flooded by all who see the same, and of nodes of which
 * nothing recent is known one is taken at random.
 * @param own where this node is; null if it was not said
 */
export const nearest =
  (own: Place | null): ChoicePolicy =>
  (candidates, question, chance) => {
    const company = companyOf(candidates, own);
    const ranked = candidates
      .map((candidate) => ({ candidate, score: expectedTime(candidate, question, company) }))
      .sort(byScore);
    const [best] = ranked;
    if (best === undefined) return ranked;
    const equals = ranked.filter(({ score }) => score <= best.score * nearFactor + nearby).length;
    return equals < 2 ? ranked : withFirst(ranked, lessBusy(ranked, twoOf(equals, chance), question));
  };

/** Two different places of so many. */
function twoOf(count: number, chance: () => number): readonly [number, number] {
  const one = Math.min(count - 1, Math.floor(chance() * count));
  const step = 1 + Math.min(count - 2, Math.floor(chance() * (count - 1)));
  return [one, (one + step) % count];
}

function lessBusy(ranked: readonly Ranked[], [one, other]: readonly [number, number], { now }: Question): number {
  const [a, b] = [ranked[one], ranked[other]] as const;
  if (a === undefined || b === undefined) return 0;
  const order =
    busyness(a.candidate) - busyness(b.candidate) || saidLoad(a.candidate, now) - saidLoad(b.candidate, now);
  return order <= 0 ? one : other;
}

const busyness = ({ health, capacity }: Candidate): number => health.underWay / Math.max(1, capacity);

/** Of late; what is older is no load. */
const saidLoad = ({ health: { load } }: Candidate, now: number): number =>
  load === null || now - load.at > recently ? 0 : load.value;

const withFirst = (ranked: readonly Ranked[], at: number): readonly Ranked[] => {
  const first = ranked[at];
  return first === undefined ? ranked : [first, ...ranked.filter((one) => one !== first)];
};

/** Equally good: not a quarter worse than the best, and two milliseconds. */
const nearFactor = 1.25;
const nearby = 2;
const recently = 30_000;
