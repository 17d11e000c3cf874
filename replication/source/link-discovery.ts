import { bytes } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { within } from '../../proxy/base/within.js';
import type { CanonicalUri } from '../../wlis/canonical-uri.js';
import { originOf } from '../../wlis/namespace.js';
import type { DiscoveryEvent, DiscoveryProgress, WalkEnd } from './discovery-event.js';
import { DiscoveryPace, type Wait } from './discovery-pace.js';
import { DiscoveryFrontier, type LeftOut, type Stop } from './discovery-frontier.js';
import type { DiscoveryFetch } from './discovery-fetch.js';
import { usualSettings, type DiscoverySettings } from './discovery-settings.js';
import type { DiscoveryState, VisitedDocument } from './discovery-state.js';
import { DocumentVisit, type VisitOutcome } from './document-visit.js';
import { targetOf, type DocumentSpace, type Target } from './page-targets.js';
import { fetchRobots } from './robots-fetch.js';
import type { RobotsRules } from './robots-txt.js';

export interface DiscoveryOptions {
  readonly space: DocumentSpace;
  /** Where the walk begins; by default at the namespace itself. */
  readonly start?: string;
  readonly fetch: DiscoveryFetch;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly settings?: Partial<DiscoverySettings>;
  /** Of an earlier walk: one that was broken off goes on, after one that was complete everything is asked for anew. */
  readonly state?: DiscoveryState | null;
  /** By default in truth. */
  readonly wait?: Wait;
}

/**
 * Finds the documents of a namespace by following links, breadth first: for origin servers that do not list what they have.
 * It asks for nothing outside but robots.txt, for nothing twice, ends, and obeys robots.txt, `nofollow` and `canonical`.
 */
export class LinkDiscovery {
  readonly #options: DiscoveryOptions;
  readonly #settings: DiscoverySettings;
  readonly #frontier: DiscoveryFrontier;
  readonly #pace: DiscoveryPace;
  readonly #visited = new Map<CanonicalUri, VisitedDocument>();
  readonly #failed = new Set<CanonicalUri>();
  /** What an earlier, complete walk knew. */
  readonly #before: Map<CanonicalUri, VisitedDocument>;
  readonly #underWay = new Set<Stop>();
  readonly #tries = new Map<CanonicalUri, number>();
  readonly #leftOut: Partial<Record<LeftOut | 'forbidden', number>> = {};
  readonly #uris = new Map<CanonicalUri, CanonicalUri>();
  #counts = { found: 0, unchanged: 0, failed: 0 };
  #received = 0;
  #references = 0;
  #failuresInRow = 0;
  #isComplete = false;
  #isWalking = false;

  /** @throws RangeError if it would begin outside the namespace */
  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#settings = { ...usualSettings, ...options.settings };
    this.#frontier = new DiscoveryFrontier(this.#settings);
    this.#pace = new DiscoveryPace(options.clock, this.#settings.pace, options.wait);
    const { state = null, space, start = space.namespace } = options;
    const first = targetOf(start, space.namespace, space);
    if (first === null) throw new RangeError(`${start} is no document of ${space.namespace}`);
    const goesOn = state !== null && !state.isComplete;
    const before = goesOn ? state.before : (state?.visited ?? []);
    this.#before = new Map(before.map((one) => [one.uri, one]));
    if (goesOn) this.#resume(state);
    this.#frontier.offer({ uri: first, depth: 0, kind: 'page' });
  }

  /** As far as it has come; what is under way counts as not begun. */
  get state(): DiscoveryState {
    return {
      namespace: this.#options.space.namespace,
      isComplete: this.#isComplete,
      visited: [...this.#visited.values()],
      before: this.#isComplete ? [] : [...this.#before.values()],
      failed: [...this.#failed],
      waiting: [...this.#underWay, ...this.#frontier.waiting()],
    };
  }

  get progress(): DiscoveryProgress {
    const received = bytes(this.#received);
    return {
      ...this.#counts,
      received,
      waiting: this.#frontier.size + this.#underWay.size,
      leftOut: { ...this.#leftOut },
    };
  }

  /**
   * Walks; no faster than what it comes upon is taken. Leaving the loop breaks the walk off, and so does the signal.
   * @throws the reason of the signal
   */
  async *walk(signal: AbortSignal): AsyncGenerator<DiscoveryEvent, void> {
    if (this.#isWalking || this.#isComplete) throw new Error('a walk is made once');
    this.#isWalking = true;
    const stopping = new AbortController();
    const onAbort = (): void => stopping.abort(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const round: Round = { signal: stopping.signal, running: new Set(), done: [], fault: null };
    try {
      signal.throwIfAborted();
      const robots = await this.#robots(stopping.signal);
      if (robots !== null && robots.crawlDelay !== null) this.#pace.atMostEvery(robots.crawlDelay);
      let because = robots === null ? 'away' : this.#end(round);
      while (robots !== null && because === null) {
        this.#begin(round, robots);
        await Promise.race(round.running);
        yield* this.#events(round);
        because = this.#end(round);
      }
      this.#isComplete = because === 'complete';
      yield { kind: 'end', because: because ?? 'away', progress: this.progress };
    } finally {
      signal.removeEventListener('abort', onAbort);
      stopping.abort(new Error('the walk is over'));
      await Promise.all(round.running);
      for (const stop of this.#underWay) this.#frontier.putBack(stop);
      this.#underWay.clear();
      this.#isWalking = false;
    }
  }

  #resume(state: DiscoveryState): void {
    for (const one of state.visited) {
      this.#frontier.remember(one.uri);
      this.#keep(one);
    }
    for (const uri of state.failed) {
      this.#frontier.remember(uri);
      this.#failed.add(uri);
    }
    for (const stop of state.waiting) this.#offer(stop, stop.depth);
  }

  /** Null while there is something to be done. */
  #end({ running }: Round): WalkEnd | null {
    if (this.#failuresInRow >= this.#settings.failuresInRow) return 'away';
    if (this.#received >= this.#settings.received) return 'bytes';
    return running.size === 0 && this.#frontier.size === 0 ? 'complete' : null;
  }

  /** As many as may be at once. */
  #begin(round: Round, robots: RobotsRules): void {
    const { running, done, signal } = round;
    while (running.size < this.#settings.atOnce) {
      const stop = this.#frontier.take();
      if (stop === null) return;
      this.#underWay.add(stop);
      const visit = this.#visit(stop, robots, signal)
        .then(
          (outcome) => void done.push({ stop, outcome }),
          (error: unknown) => void (round.fault ??= { error }),
        )
        .then(() => void running.delete(visit));
      running.add(visit);
    }
  }

  /** What has come of those that are over. What is not taken any more is asked for again by whoever goes on. */
  *#events(round: Round): Generator<DiscoveryEvent> {
    if (round.fault !== null) throw round.fault.error;
    for (let next = round.done.shift(); next !== undefined; next = round.done.shift()) {
      const { stop, outcome } = next;
      this.#underWay.delete(stop);
      const event = this.#take(stop, outcome);
      if (event !== null) yield event;
    }
  }

  /** Null if nobody can say them. */
  async #robots(signal: AbortSignal): Promise<RobotsRules | null> {
    const { fetch, space } = this.#options;
    const { patience, robot } = this.#settings;
    try {
      return await within(patience, signal, (over) => fetchRobots(space.namespace, { fetch, robot }, over));
    } catch {
      signal.throwIfAborted();
      return null;
    }
  }

  async #visit(stop: Stop, robots: RobotsRules, signal: AbortSignal): Promise<VisitOutcome | 'forbidden'> {
    const { uri } = stop;
    if (!robots.allows(uri.slice(originOf(uri).length))) return 'forbidden';
    await this.#pace.turn(signal);
    const before = this.#before.get(uri) ?? null;
    const visit = new DocumentVisit({ stop, before, ...this.#options, robot: this.#settings.robot });
    const outcome = await visit.make(this.#settings.patience, signal);
    this.#received += visit.received;
    return outcome;
  }

  #take(stop: Stop, outcome: VisitOutcome | 'forbidden'): DiscoveryEvent | null {
    const { uri, depth } = stop;
    if (outcome === 'forbidden') {
      this.#countLeftOut('forbidden');
      this.#giveUp(uri);
      return { kind: 'forbidden', uri };
    }
    if (outcome.kind === 'failed') return this.#failure(stop, outcome);
    this.#failuresInRow = 0;
    if (outcome.kind === 'redirect') {
      const { status, location, target } = outcome;
      if (target !== null) this.#offer({ uri: target, kind: stop.kind }, depth);
      this.#keep({ ...blank, uri });
      return { kind: 'redirect', uri, status, location };
    }
    const { document, isUnchanged } = outcome;
    const { canonical, type, noindex } = document;
    if (canonical !== null) {
      this.#offer({ uri: canonical, kind: 'page' }, depth);
      this.#keep(document);
      return { kind: 'alias', uri, of: canonical };
    }
    const known = document.targets.filter((target) => this.#offer(target, target.kind === 'page' ? depth + 1 : depth));
    this.#keep({ ...document, targets: known });
    this.#counts[isUnchanged ? 'unchanged' : 'found']++;
    return { kind: 'found', document: { uri, depth, type, noindex }, isUnchanged };
  }

  #failure(
    stop: Stop,
    { status, because, isPassing, retryAfter }: VisitOutcome & { kind: 'failed' },
  ): DiscoveryEvent | null {
    const { uri } = stop;
    this.#failuresInRow = isPassing ? this.#failuresInRow + 1 : 0;
    if (retryAfter !== null) this.#pace.pause(retryAfter);
    const tries = (this.#tries.get(uri) ?? 0) + 1;
    this.#tries.delete(uri);
    if (isPassing && tries < this.#settings.attempts) {
      this.#tries.set(uri, tries);
      this.#frontier.putBack(stop);
      return null;
    }
    this.#giveUp(uri);
    this.#counts.failed++;
    return { kind: 'failed', uri, status, because };
  }

  #giveUp(uri: CanonicalUri): void {
    this.#failed.add(uri);
    this.#before.delete(uri);
  }

  /** @returns whether it is asked for in this walk */
  #offer({ uri, kind }: Target, depth: number): boolean {
    const interned = this.#interned(uri);
    const outcome = this.#frontier.offer({ uri: interned, depth, kind });
    if (outcome !== 'new' && outcome !== 'known') this.#countLeftOut(outcome);
    else this.#uris.set(interned, interned);
    return outcome === 'new' || outcome === 'known';
  }

  #countLeftOut(because: LeftOut | 'forbidden'): void {
    this.#leftOut[because] = (this.#leftOut[because] ?? 0) + 1;
  }

  /** Links are many, and documents few: each URI is in memory once. */
  #interned(uri: CanonicalUri): CanonicalUri {
    return this.#uris.get(uri) ?? uri;
  }

  /** What leads to more than can be kept will be read again by the next walk. */
  #keep(document: VisitedDocument): void {
    const { uri, targets } = document;
    this.#before.delete(uri);
    const fits = this.#references + targets.length <= mostReferences;
    if (fits) this.#references += targets.length;
    const kept = fits ? targets.map(({ uri: to, kind }) => ({ uri: this.#interned(to), kind })) : [];
    this.#visited.set(uri, { ...document, targets: kept, validators: fits ? document.validators : null });
  }
}

/** What a walk has under way. */
interface Round {
  readonly signal: AbortSignal;
  readonly running: Set<Promise<void>>;
  readonly done: { readonly stop: Stop; readonly outcome: VisitOutcome | 'forbidden' }[];
  /** Why it cannot go on. */
  fault: { readonly error: unknown } | null;
}

const blank = { validators: null, type: null, noindex: false, canonical: null, targets: [] };
/** From all pages to all documents. */
const mostReferences = 1_000_000;
