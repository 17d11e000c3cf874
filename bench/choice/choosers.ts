import { bytes, type MonotonicMs } from '../../config/units.js';
import { systemClock } from '../../proxy/base/clock.js';
import type { Candidate, ChoicePolicy, Question } from '../../wlis/choice/choice.js';
import { nearest } from '../../wlis/choice/nearest.js';
import { random } from '../../wlis/choice/random.js';
import { HealthTable } from '../../wlis/health/health-table.js';

/** One way to choose, with a health of its own. */
export interface Chooser {
  readonly name: string;
  readonly health: HealthTable;
  /** The URL for the next request for so many bytes. */
  next(urls: readonly string[], size: number): string;
}

/** Always the same one: the best of these is what somebody could choose who knew everything and never looked again. */
export const always = (place: number, name: string): Chooser => chooserOf(`always the ${name}`, (urls) => urls[place]);

export function roundRobin(): Chooser {
  let turn = 0;
  return chooserOf('round robin', (urls) => urls[turn++ % urls.length]);
}

/** One of the policies of this program, by what it has seen in this very run. */
export function byPolicy(name: string, policy: ChoicePolicy): Chooser {
  const chooser = chooserOf(name, (urls, size) => {
    const candidates = urls.map((url): Candidate => {
      return { url, key: null, role: 'replica', place: null, capacity: 1, health: chooser.health.of(url) };
    });
    return policy(candidates, questionOf(size), Math.random)[0]?.candidate.url;
  });
  return chooser;
}

export const allChoosers = (names: readonly string[]): Chooser[] => [
  ...names.map((name, place) => always(place, name)),
  byPolicy('random', random),
  roundRobin(),
  byPolicy('nearest', nearest(null)),
];

function chooserOf(name: string, choose: (urls: readonly string[], size: number) => string | undefined): Chooser {
  const health = new HealthTable({ clock: systemClock });
  return { name, health, next: (urls, size) => choose(urls, size) ?? '' };
}

const questionOf = (size: number): Question => {
  const now: MonotonicMs = systemClock.monotonic();
  return { uri: 'http://bench.test/a', path: 'a', size: bytes(size), client: '', now };
};
