import {
  bytes,
  elapsedMonotonic,
  milliseconds,
  type Bytes,
  type Milliseconds,
  type MonotonicMs,
} from '../../config/units.js';
import type { Place } from '../trust/group-member.js';
import type { Candidate, Question } from './choice.js';
import { distanceBetween } from './distance.js';

/** What the candidates of a choice are together, against which each of them is seen. */
export interface Company {
  /** Where this node is; null if it was not said. */
  readonly own: Place | null;
  /** What the best of them delivers; null if that was never measured. */
  readonly bandwidth: Bytes | null;
  /** Of the one that can take least. */
  readonly capacity: number;
}

export function companyOf(candidates: readonly Candidate[], own: Place | null): Company {
  const measured = candidates.flatMap(({ health }) => (health.bandwidth === null ? [] : [health.bandwidth]));
  return {
    own,
    bandwidth: measured.length === 0 ? null : bytes(Math.max(...measured)),
    capacity: candidates.reduce((least, { capacity }) => Math.min(least, capacity), candidates[0]?.capacity ?? 1),
  };
}

/**
 * How long the answer of a candidate will take to be here, all of it: the distance, and what the size takes, biased by the
 * load as it is known.
 */
export function expectedTime(candidate: Candidate, question: Question, company: Company): Milliseconds {
  const bandwidth = bandwidthOf(candidate, question.now, company);
  const transfer = question.size === null || bandwidth === null ? 0 : (question.size * 1000) / Math.max(1, bandwidth);
  return milliseconds(
    (distanceOf(candidate, question.now, company) + transfer) * loadBias(candidate, question.now, company),
  );
}

/**
 * What was never measured is taken to be better than the best that is known, and what was measured long ago goes that way:
 * otherwise nobody would ever find out that it is.
 */
function bandwidthOf({ health }: Candidate, now: MonotonicMs, company: Company): number | null {
  if (company.bandwidth === null) return null;
  const hoped = company.bandwidth * hope;
  const known = health.delivered === null ? remembered : freshnessOf(health.delivered, now, bandwidthLasts);
  if (health.bandwidth === null) return hoped;
  return health.bandwidth >= hoped ? health.bandwidth : health.bandwidth ** known * hoped ** (1 - known);
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
const bandwidthLasts = milliseconds(1_800_000);
const hope = 1.5;
/** How much is believed of what was measured in an earlier life of this node. */
const remembered = 0.75;
/** So many requests of this node at the one that can take least make that look twice as far. */
const perRequestBias = 32;
