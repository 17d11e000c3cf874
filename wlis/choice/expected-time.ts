import { elapsedMonotonic, milliseconds, type Bytes, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Place } from '../trust/group-member.js';
import type { Candidate, Question } from './choice.js';
import { distanceBetween } from './distance.js';

/** What the candidates of a choice are together, against which each of them is seen. */
export interface Company {
  /** Where this node is; null if it was not said. */
  readonly own: Place | null;
  /** What is supposed of one whose bandwidth was never measured; null if none was. */
  readonly bandwidth: Bytes | null;
  /** Of the one that can take least. */
  readonly capacity: number;
}

/** The median stands for what was never measured: such a node is neither avoided nor sought for that. */
export function companyOf(candidates: readonly Candidate[], own: Place | null): Company {
  const measured = candidates.flatMap(({ health }) => (health.bandwidth === null ? [] : [health.bandwidth]));
  measured.sort((a, b) => a - b);
  return {
    own,
    bandwidth: measured[measured.length >> 1] ?? null,
    capacity: candidates.reduce((least, { capacity }) => Math.min(least, capacity), candidates[0]?.capacity ?? 1),
  };
}

/**
 * How long the answer of a candidate will take to be here, all of it: the distance, and what the size takes, biased by the
 * load as it is known.
 */
export function expectedTime(candidate: Candidate, question: Question, company: Company): Milliseconds {
  const { health } = candidate;
  const bandwidth = health.bandwidth ?? company.bandwidth;
  const transfer = question.size === null || bandwidth === null ? 0 : (question.size * 1000) / Math.max(1, bandwidth);
  return milliseconds(
    (distanceOf(candidate, question.now, company) + transfer) * loadBias(candidate, question.now, company),
  );
}

/** What was measured just now has the hour in it; what was usual, or measured long ago, has not. */
function distanceOf({ health, place }: Candidate, now: MonotonicMs, { own }: Company): Milliseconds {
  if (health.latency === null) return distanceBetween(own, place);
  return milliseconds(health.latency * health.hourFactor ** (1 - freshnessOf(health.measured, now, hourly)));
}

/** What the node says counts the less the older it is; what this node has under way there is certain. */
function loadBias({ health, capacity }: Candidate, now: MonotonicMs, company: Company): number {
  const { load, underWay } = health;
  const said = load === null ? 0 : load.value * freshnessOf(load.at, now, loadLasts);
  const own = (underWay / Math.max(1, capacity)) * company.capacity;
  return 1 + 2 * said + own / perRequestBias;
}

/** From 1 for what was seen just now to 0 for what was seen long ago, or never. */
export const freshnessOf = (at: MonotonicMs | null, now: MonotonicMs, lasts: Milliseconds): number =>
  at === null ? 0 : Math.exp(-Math.max(0, elapsedMonotonic(at, now)) / lasts);

/** In which time the weight of a load falls to a third. */
const loadLasts = milliseconds(30_000);
/** The same of a measurement against what is usual in the hour. */
const hourly = milliseconds(600_000);
/** So many requests of this node at the one that can take least make that look twice as far. */
const perRequestBias = 32;
