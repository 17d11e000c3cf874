import {
  elapsedMonotonic,
  milliseconds,
  type EpochMs,
  type Milliseconds,
  type MonotonicMs,
} from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { askableMembers } from '../choice/group-members.js';
import type { KnownNamespace } from '../directory/known-namespace.js';
import type { NodeReach } from '../directory/node-reach.js';
import type { HealthTable } from './health-table.js';
import type { NamespacesInUse } from './namespaces-in-use.js';
import { probe, type ProbedNode } from './probe.js';
import type { ServedSamples } from './served-samples.js';

export interface ProbesOptions {
  readonly health: HealthTable;
  readonly inUse: NamespacesInUse;
  readonly samples: ServedSamples;
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  /** From 0 to before 1; of the program by default. */
  readonly chance?: () => number;
  /** How often it is looked for nodes to be asked, with a quarter more or less. */
  readonly every?: Milliseconds;
}

/** What may change while it runs. */
export interface ProbeSettings {
  readonly reach: NodeReach;
  readonly patience: Milliseconds;
  /** Of this node, which does not ask itself; null if it has none. */
  readonly ownUrl: string | null;
}

/**
 * Keeps the health of nodes known that requests do not come to: members of namespaces in use, of which one was not well, or has
 * not been asked for a while. Few at once, and no machine twice in one round: whoever states a group cannot aim more than that
 * at anybody, and one that does not answer is asked more and more seldom.
 */
export class Probes {
  readonly #options: ProbesOptions;
  readonly #chance: () => number;
  #settings: ProbeSettings | null = null;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #ending = new AbortController();

  constructor(options: ProbesOptions) {
    this.#options = options;
    this.#chance = options.chance ?? Math.random;
  }

  /** Begins, or goes on in another way. Null: nobody is asked. */
  configure(settings: ProbeSettings | null): void {
    this.#settings = settings;
    if (settings === null) this.#pause();
    else if (this.#timer === undefined && !this.#ending.signal.aborted) this.#wait();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#ending.abort(new Error('this node stops'));
    this.#pause();
    await this.#running;
  }

  /** Asks those whose turn it is. */
  async round(): Promise<void> {
    const settings = this.#settings;
    if (settings === null) return;
    const { signal } = this.#ending;
    const { health: attempts } = this.#options;
    await Promise.all(
      this.#due(settings).map((node) => {
        const caller = settings.reach.callerFor(node.namespace);
        return probe(node, { attempts, caller, patience: settings.patience, signal });
      }),
    );
  }

  #wait(): void {
    const { every = usually } = this.#options;
    this.#timer = setTimeout(
      () => {
        this.#running = this.round().then(() => {
          if (this.#settings !== null && !this.#ending.signal.aborted) this.#wait();
        });
      },
      every * (0.75 + this.#chance() / 2),
    ).unref();
  }

  #pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #due(settings: ProbeSettings): readonly ProbedNode[] {
    const { inUse, clock } = this.#options;
    const candidates = new Map<string, Due>();
    for (const known of inUse.within(goesOn, clock.monotonic())) {
      for (const due of this.#dueOf(known, settings)) {
        if (!candidates.has(due.node.url)) candidates.set(due.node.url, due);
      }
    }
    const hosts = new Set<string>();
    return [...candidates.values()]
      .sort((a, b) => b.urgency - a.urgency)
      .filter(({ node }) => {
        const host = hostOf(node.url);
        return !hosts.has(host) && hosts.add(host);
      })
      .slice(0, mostAtOnce)
      .map(({ node }) => node);
  }

  *#dueOf(known: KnownNamespace, { reach, ownUrl }: ProbeSettings): Iterable<Due> {
    const { health, samples, now } = this.#options;
    const { namespace } = known;
    const sample = samples.of(namespace);
    for (const { urls, isActive, holds } of askableMembers(known.group)) {
      if ((ownUrl !== null && urls.includes(ownUrl)) || !isActive(now())) continue;
      for (const url of urls) {
        const urgency = this.#urgency(url);
        if (urgency === null || !reach.allowsUrl(namespace, url)) continue;
        const isHeld = sample !== null && holds(sample.path, sample.block.size);
        const isBlamed = health.of(url).failure?.reason === 'false';
        if (isBlamed && !isHeld) continue;
        yield { node: { url, namespace, sample: isHeld ? sample : null, isBlamed }, urgency };
      }
    }
  }

  /** Null if it is not its turn. */
  #urgency(url: string): number | null {
    const { health, clock } = this.#options;
    const { breaker, underWay } = health.of(url);
    if (breaker === 'probing') return Number.MAX_VALUE;
    if (breaker === 'open' || underWay > 0) return null;
    const since = sinceThen(health.lastOf(url).asked, clock.monotonic());
    return since >= quiet * (0.75 + this.#chance() / 2) ? since : null;
  }
}

interface Due {
  readonly node: ProbedNode;
  readonly urgency: number;
}

const sinceThen = (at: MonotonicMs | null, now: MonotonicMs): number =>
  at === null ? Number.MAX_SAFE_INTEGER : elapsedMonotonic(at, now);

const hostOf = (url: string): string => new URL(url).hostname;

const usually = milliseconds(5000);
/** A namespace of which nothing was asked for so long is left alone. */
const goesOn = milliseconds(300_000);
/** A node that was not asked for so long is asked. */
const quiet = 60_000;
const mostAtOnce = 4;
