import { epochMs, milliseconds, type EpochMs, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import { originOf, type Namespace } from '../namespace.js';
import { locatedReplicas } from '../trust/group-standing.js';
import type { DirectoryCalls } from './directory-calls.js';
import type { DirectoryRefusals } from './directory-refusals.js';
import { takeGroup } from './given-group.js';
import type { LearnedNamespace } from './learned-namespace.js';

export interface RenewalOptions {
  readonly callsFor: (namespace: Namespace) => DirectoryCalls;
  readonly peers: () => readonly string[];
  readonly refusals: DirectoryRefusals;
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly logger: Logger;
  /** From 0 to 1. */
  readonly chance: () => number;
}

/** How it went to ask for a namespace. */
interface Plan {
  failures: number;
  /** When somebody was asked last. */
  askedAt: MonotonicMs | null;
  rootAskedAt: MonotonicMs | null;
}

const mostAtOnce = 32;
const mostAsked = 6;
const mostReplicasAsked = 3;
/** At the most so often, however many say that there is news. */
const gap = milliseconds(10_000);
const mostDoublings = 6;
const mostPatient = 2;
const mostJitter = milliseconds(60_000);
const rootEvery = milliseconds(3_600_000);

/** Asks for newer statements of the groups of namespaces, when they are due or somebody has heard of one. */
export class Renewal {
  readonly #options: RenewalOptions;
  readonly #plans = new WeakMap<LearnedNamespace, Plan>();
  readonly #underWay = new Map<LearnedNamespace, Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  isDue(known: LearnedNamespace, now: EpochMs): boolean {
    return now >= known.renewAt && !this.#underWay.has(known);
  }

  /** There is a newer statement than before. */
  renewed(known: LearnedNamespace): void {
    const plan = this.#plan(known);
    plan.failures = 0;
    known.renewAt = this.#due(known);
  }

  /**
   * Asks now, unless that was done a moment ago, or too much is under way.
   * @param first who is asked before all others; null if nobody is known to have news
   */
  renew(known: LearnedNamespace, first: string | null): void {
    const plan = this.#plan(known);
    const { clock, now } = this.#options;
    // whoever has heard of news need not wait as long as one who only tries again
    const wait = gap * 2 ** (first === null ? plan.failures : Math.min(mostPatient, plan.failures));
    if (plan.askedAt !== null && clock.monotonic() - plan.askedAt < wait) return;
    if (this.#underWay.has(known) || this.#underWay.size >= mostAtOnce || this.#stopped.signal.aborted) return;
    plan.askedAt = clock.monotonic();
    plan.failures = Math.min(mostDoublings, plan.failures + 1);
    known.renewAt = epochMs(now() + gap * 2 ** plan.failures);
    const renewing = this.#renew(known, first, plan).finally(() => this.#underWay.delete(known));
    this.#underWay.set(known, renewing);
  }

  /** Ends what is under way, and waits for that. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the node stops'));
    await Promise.allSettled(this.#underWay.values());
  }

  /** Waits until nothing is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
  }

  async #renew(known: LearnedNamespace, first: string | null, plan: Plan): Promise<void> {
    const { callsFor, logger, refusals } = this.#options;
    const { namespace } = known;
    const { signal } = this.#stopped;
    await this.#renewRoot(known, plan);
    const calls = callsFor(namespace);
    for (const url of this.#sources(known, first)) {
      if (signal.aborted) return;
      try {
        const jws = await calls.group(url, namespace, signal);
        const isSame = jws === known.group.jws;
        if ((await takeGroup(known, jws, url, signal)) || (isSame && this.#isFresh(known))) {
          this.renewed(known);
          return;
        }
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        if (refusals.note(namespace, url, error)) continue;
        logger.debug({ code: 'group-not-renewed', namespace, url, error }, 'no group came from there');
      }
    }
  }

  /** Somebody who has taken the key of a primary would go on signing with it; only the root can say that it has ended. */
  async #renewRoot({ authority, namespace }: LearnedNamespace, plan: Plan): Promise<void> {
    const { clock, logger, refusals } = this.#options;
    plan.rootAskedAt ??= clock.monotonic();
    if (clock.monotonic() - plan.rootAskedAt < rootEvery) return;
    plan.rootAskedAt = clock.monotonic();
    try {
      await authority.learn(this.#stopped.signal);
    } catch (error) {
      if (refusals.note(namespace, authority.origin, error)) return;
      logger.debug({ code: 'root-not-learned', namespace, error }, 'no newer root statements came');
    }
  }

  /** The primary before all others, since it has the newest; a few replicas and directories, by chance. */
  #sources(known: LearnedNamespace, first: string | null): readonly string[] {
    const { peers, now, chance } = this.#options;
    const { group } = known.group;
    const byChance = <T>(all: readonly T[]): T[] =>
      all
        .map((one) => [chance(), one] as const)
        .sort(([a], [b]) => a - b)
        .map(([, one]) => one);
    const replicas = byChance(locatedReplicas(group, now())).slice(0, mostReplicasAsked);
    return [
      ...new Set([
        ...(first === null ? [] : [first]),
        ...group.primary.urls.slice(0, 1),
        originOf(known.namespace),
        ...replicas.flatMap(({ urls }) => urls.slice(0, 1)),
        ...byChance(peers()),
      ]),
    ].slice(0, mostAsked);
  }

  #isFresh({ group: { group } }: LearnedNamespace): boolean {
    return this.#options.now() < group.refreshAfter;
  }

  #plan(known: LearnedNamespace): Plan {
    const planned = this.#plans.get(known);
    if (planned !== undefined) return planned;
    const plan = { failures: 0, askedAt: null, rootAskedAt: null };
    this.#plans.set(known, plan);
    return plan;
  }

  /** A moment after it should be asked for, not for all who know it at once. */
  #due({ group: { group } }: LearnedNamespace): EpochMs {
    const { refreshAfter, issued } = group;
    const jitter = Math.min(mostJitter, (refreshAfter - issued) / 5) * this.#options.chance();
    return epochMs(refreshAfter + jitter);
  }
}
