import { byScore } from './by-score.js';
import type { ChoicePolicy } from './choice.js';

/**
 * By chance, but one of capacity 4 comes first four times as often as one of capacity 1. The score is when it would come, if
 * each came by itself at a rate that is its capacity: the first of them is each with the share that its rate has of all.
 */
export const weighted: ChoicePolicy = (candidates, _question, chance) =>
  candidates.map((candidate) => ({ candidate, score: arrival(chance(), candidate.capacity) })).sort(byScore);

/** @param drawn from 0 to before 1 */
export const arrival = (drawn: number, rate: number): number =>
  -Math.log1p(-Math.min(drawn, almostOne)) / Math.max(leastRate, rate);

const almostOne = 1 - 2 ** -53;
const leastRate = 1e-6;
