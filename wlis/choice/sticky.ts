import { byScore } from './by-score.js';
import type { ChoicePolicy, Question } from './choice.js';
import { arrival } from './weighted.js';

/**
 * The same client gets a namespace from the same node as long as that is there, and the others where it is not; clients are
 * spread by capacity (rendezvous hashing, Thaler and Ravishankar 1998, weighted). A node that comes or goes moves only those
 * clients that it takes or had. The score is as with `weighted`, by hash in place of chance.
 */
export const sticky: ChoicePolicy = (candidates, question) => {
  const of = `${question.client}\n${namespaceOf(question)}\n`;
  return candidates
    .map((candidate) => ({ candidate, score: arrival(hashed(of + candidate.url), candidate.capacity) }))
    .sort(byScore);
};

const namespaceOf = ({ uri, path }: Question): string => uri.slice(0, uri.length - path.length);

/** From 0 to before 1, by 53 bits: two runs of FNV-1a, each mixed to the end as in MurmurHash3. */
function hashed(text: string): number {
  let [a, b] = [0x811c9dc5, 0x01000193 ^ text.length];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ (code + i), 0x01000193);
  }
  return ((mixed(a) >>> 5) * 2 ** 26 + (mixed(b) >>> 6)) / 2 ** 53;
}

function mixed(hash: number): number {
  const one = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const two = Math.imul(one ^ (one >>> 13), 0xc2b2ae35);
  return two ^ (two >>> 16);
}
