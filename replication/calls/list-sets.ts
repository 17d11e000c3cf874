import { MOST_SETS, type ListSet } from '../../wlis/trust/record-list.js';
import type { Change } from '../change-list.js';

/**
 * Which numbers become visible together, for the tail of a list: a change with all others up to its `together`.
 * @param changes in the order of their numbers
 */
export function setsOf(changes: Iterable<Pick<Change<unknown>, 'seq' | 'together'>>): readonly ListSet[] {
  const sets: [from: number, to: number][] = [];
  for (const { seq, together } of changes) {
    const last = sets.at(-1);
    if (last !== undefined && seq <= last[1]) last[1] = Math.max(last[1], together);
    else if (together > seq) sets.push([seq, together]);
  }
  return fewer(sets);
}

/** What is visible together with more than it has to be is no worse for it. */
function fewer(sets: readonly ListSet[]): readonly ListSet[] {
  if (sets.length <= MOST_SETS) return sets;
  const joined: ListSet[] = [];
  for (let i = 0; i < sets.length; i += 2) {
    const [first, second] = [sets[i] as ListSet, sets[i + 1]];
    joined.push([first[0], second?.[1] ?? first[1]]);
  }
  return fewer(joined);
}
