import { byScore } from './by-score.js';
import type { ChoicePolicy } from './choice.js';

/** Any order is as likely as any other. The score is what was drawn, from 0 to 1. */
export const random: ChoicePolicy = (candidates, _question, chance) =>
  candidates.map((candidate) => ({ candidate, score: chance() })).sort(byScore);
