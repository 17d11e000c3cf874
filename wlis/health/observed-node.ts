import { elapsed, elapsedMonotonic, type EpochMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { FailureReason, NodeHealth } from '../choice/choice.js';
import { Breaker, type RememberedBreaker } from './breaker.js';
import { HourProfile } from './hour-profile.js';
import { ObservedBandwidth } from './observed-bandwidth.js';
import { ObservedLatency } from './observed-latency.js';

/** What is remembered of a node beyond the life of a process. */
export interface RememberedNode {
  readonly latency: Milliseconds | null;
  readonly bandwidth: NodeHealth['bandwidth'];
  readonly breaker: RememberedBreaker;
  readonly failure: NodeHealth['failure'];
  /** The last time that it lied. */
  readonly blamed: NodeHealth['failure'];
  readonly hours: readonly (readonly [hour: number, mean: number, count: number])[];
}

/** All that has been seen of one node. */
export class ObservedNode {
  readonly bandwidth: ObservedBandwidth;
  readonly #latency: ObservedLatency;
  readonly #breaker: Breaker;
  readonly #hours: HourProfile;
  #notedHour: MonotonicMs | null = null;
  #load: NodeHealth['load'] = null;
  #failure: NodeHealth['failure'];
  #blamed: NodeHealth['failure'];
  #underWay = 0;
  /** When a request was last sent to it, and when one last went well. */
  #asked: MonotonicMs | null = null;
  #well: MonotonicMs | null = null;

  constructor(remembered: RememberedNode | null, now: MonotonicMs) {
    this.bandwidth = new ObservedBandwidth(remembered?.bandwidth);
    this.#latency = new ObservedLatency(remembered?.latency);
    this.#breaker = new Breaker(remembered?.breaker, now);
    this.#hours = HourProfile.of(remembered?.hours ?? []);
    this.#failure = remembered?.failure ?? null;
    this.#blamed = remembered?.blamed ?? null;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** When a request was last sent to it; null if none was in this life. */
  get asked(): MonotonicMs | null {
    return this.#asked;
  }

  /** When an answer of it was last believed to its end. */
  get well(): MonotonicMs | null {
    return this.#well;
  }

  begin(now: MonotonicMs): void {
    this.#underWay++;
    this.#asked = now;
  }

  end(): void {
    this.#underWay--;
  }

  answered(latency: Milliseconds, clock: Clock): void {
    const now = clock.monotonic();
    this.#latency.note(latency, now);
    const { usual } = this.#latency;
    const isSoon = this.#notedHour !== null && elapsedMonotonic(this.#notedHour, now) < betweenHourNotes;
    if (usual === null || isSoon) return;
    this.#notedHour = now;
    this.#hours.note(latency / usual, clock.now());
  }

  loaded(value: number, now: MonotonicMs): void {
    this.#load = { value, at: now };
  }

  succeeded(began: MonotonicMs, now: MonotonicMs): void {
    this.#well = now;
    this.#breaker.succeeded(began, now);
    if (this.#breaker.state(now) === 'closed') this.#failure = null;
  }

  failed(reason: FailureReason, detail: string | null, clock: Clock, chance: number): void {
    this.#failure = { reason, at: clock.now(), detail: detail === null ? null : shortened(detail) };
    if (reason === 'false') this.#blamed = this.#failure;
    this.#breaker.failed(reason, clock.monotonic(), chance);
  }

  /** How often it has lied of late; and the last time. */
  blame(now: EpochMs): { readonly times: number; readonly last: NonNullable<NodeHealth['failure']> } | null {
    if (this.#blamed === null) return null;
    if (elapsed(this.#blamed.at, now) < forgiving) return { times: this.#breaker.blames, last: this.#blamed };
    this.#blamed = null;
    this.#breaker.forgive();
    return null;
  }

  openFor(now: MonotonicMs): Milliseconds {
    return this.#breaker.openFor(now);
  }

  /** @param time by the wall clock */
  view(now: MonotonicMs, time: EpochMs): NodeHealth {
    const blamed = this.#blamed === null ? null : (this.blame(time)?.last ?? null);
    const isStillTold = blamed !== null && elapsed(blamed.at, time) < telling;
    return {
      latency: this.#latency.at(now),
      measured: this.#latency.measured,
      bandwidth: this.bandwidth.mean,
      delivered: this.bandwidth.measured,
      load: this.#load,
      underWay: this.#underWay,
      breaker: this.#breaker.state(now),
      failure: isStillTold ? blamed : this.#failure,
      hourFactor: this.#hours.factor(time),
    };
  }

  remembered(clock: Clock): RememberedNode {
    return {
      latency: this.#latency.usual,
      bandwidth: this.bandwidth.mean,
      breaker: this.#breaker.remembered(clock.monotonic()),
      failure: this.#failure,
      blamed: this.blame(clock.now())?.last ?? null,
      hours: this.#hours.entries(),
    };
  }
}

/** The hours are to show what is usual in them, not where the most requests were. */
const betweenHourNotes = 15_000;
/** Lies are told of for a day, and remembered for a week. */
const telling = 86_400_000;
const forgiving = 7 * telling;
const longestDetail = 200;

/** Without halves of characters, of which a slice may leave one. */
const shortened = (detail: string): string => detail.slice(0, longestDetail).replace(/\p{Surrogate}/gu, '\ufffd');
