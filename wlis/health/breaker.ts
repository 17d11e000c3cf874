import {
  elapsedMonotonic,
  milliseconds,
  monotonicMs,
  type Milliseconds,
  type MonotonicMs,
} from '../../config/units.js';
import type { FailureReason, NodeHealth } from '../choice/choice.js';

/** What is remembered of a breaker beyond the life of a process. */
export interface RememberedBreaker {
  readonly openings: number;
  readonly blames: number;
  /** How long it stays open; 0 if it is not. */
  readonly openFor: Milliseconds;
}

/**
 * Keeps requests from a node that fails. It opens after a failure, or several of a milder kind, for a time that doubles with
 * each opening; then one request finds out whether the node is well. A lie opens it for long, and then answers that were under
 * way, or tried for want of others, do not close it.
 */
export class Breaker {
  #strikes = 0;
  #struckAt: MonotonicMs | null = null;
  #openings: number;
  #blames: number;
  #openedAt: MonotonicMs | null = null;
  #until: MonotonicMs | null = null;
  /** Whether it is for a lie that it is open. */
  #isBlamed: boolean;

  constructor(
    remembered: RememberedBreaker = { openings: 0, blames: 0, openFor: milliseconds(0) },
    now = monotonicMs(0),
  ) {
    const { openings, blames, openFor } = remembered;
    this.#openings = openings;
    this.#blames = blames;
    this.#isBlamed = blames > 0 && openFor > 0;
    if (openFor <= 0) return;
    this.#openedAt = now;
    this.#until = monotonicMs(now + Math.min(openFor, this.#isBlamed ? longestBlame : longest));
  }

  /** How often it has lied, as far as that is remembered. */
  get blames(): number {
    return this.#blames;
  }

  state(now: MonotonicMs): NodeHealth['breaker'] {
    if (this.#until === null) return 'closed';
    return now < this.#until ? 'open' : 'probing';
  }

  /** How long nobody is to ask the node; 0 once somebody may. */
  openFor(now: MonotonicMs): Milliseconds {
    return milliseconds(this.#until === null ? 0 : Math.max(0, elapsedMonotonic(now, this.#until)));
  }

  remembered(now: MonotonicMs): RememberedBreaker {
    return { openings: this.#openings, blames: this.#blames, openFor: this.openFor(now) };
  }

  /** @param chance from 0 to 1, so that not all who have seen it come back in the same moment */
  failed(reason: FailureReason, now: MonotonicMs, chance: number): void {
    if (reason === 'false') {
      this.#blames = Math.min(this.#blames + 1, mostBlames);
      this.#isBlamed = true;
      this.#open(firstBlame * 4 ** (this.#blames - 1), longestBlame, now, chance);
      return;
    }
    // those that were under way together are one failure
    if (this.state(now) === 'open') return;
    if (this.#struckAt !== null && elapsedMonotonic(this.#struckAt, now) > forgetting) this.#strikes = 0;
    this.#strikes += weights[reason];
    this.#struckAt = now;
    if (this.#strikes < 1 && this.#until === null) return;
    const isOld = this.#until !== null && elapsedMonotonic(this.#until, now) > longest;
    this.#openings = isOld ? 1 : Math.min(this.#openings + 1, mostOpenings);
    this.#open(first * 2 ** (this.#openings - 1), longest, now, chance);
  }

  /** @param began when the request was sent: what was under way when it opened does not close it */
  succeeded(began: MonotonicMs, now: MonotonicMs): void {
    this.#strikes = 0;
    const state = this.state(now);
    if (state === 'closed') {
      if (this.#struckAt === null || elapsedMonotonic(this.#struckAt, now) > forgetting) this.#openings = 0;
      return;
    }
    const isLater = this.#openedAt === null || began >= this.#openedAt;
    if (!isLater || (state === 'open' && this.#isBlamed)) return;
    this.#until = null;
    this.#openedAt = null;
    this.#isBlamed = false;
  }

  /** It has been true for long enough. */
  forgive(): void {
    this.#blames = 0;
  }

  #open(time: number, most: number, now: MonotonicMs, chance: number): void {
    const until = monotonicMs(now + Math.min(most, time) * (0.75 + chance / 2));
    this.#openedAt = now;
    this.#until = this.#until === null ? until : monotonicMs(Math.max(this.#until, until));
    this.#strikes = 0;
  }
}

/** At 1 it opens. */
const weights: Readonly<Record<Exclude<FailureReason, 'false'>, number>> = {
  unreachable: 1,
  silent: 1,
  broken: 0.5,
  status: 0.34,
};

/** All in milliseconds. */
const first = 1000;
const longest = 300_000;
const mostOpenings = 12;
const firstBlame = 600_000;
const longestBlame = 86_400_000;
const mostBlames = 8;
/** Failures further apart have nothing to do with each other. */
const forgetting = 60_000;
