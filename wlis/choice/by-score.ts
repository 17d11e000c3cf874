import type { Ranked } from './choice.js';

/** The lower first; of equal ones the one whose URL comes first, so that the order is always the same. */
export const byScore = (a: Ranked, b: Ranked): number =>
  a.score - b.score || (a.candidate.url < b.candidate.url ? -1 : a.candidate.url > b.candidate.url ? 1 : 0);
