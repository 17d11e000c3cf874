import {
  bytes,
  elapsedMonotonic,
  milliseconds,
  type Bytes,
  type Milliseconds,
  type MonotonicMs,
} from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import { compareVersions, type Version } from '../../wlis/trust/epoch.js';
import { judgeHead, openHead, type Head, type SignedHead } from '../../wlis/trust/head.js';
import { defaultGrace, type NamespacePolicy } from '../../wlis/trust/namespace-policy.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { Change } from '../change-list.js';
import type { DocumentContent, Edition, HeldNamespace, Provable } from '../held-namespace.js';
import { BlobStoreError } from '../blob-store-error.js';
import type { ContentPulls } from '../pull/content-pulls.js';
import { Puller } from '../pull/puller.js';
import { NoSource } from '../pull/source-trial.js';
import type { Progress } from '../pull/wanted-contents.js';
import type { HeldVersion } from '../tree/join-request.js';
import { UpdateWindow, type WindowTimes } from '../update-window.js';
import type { MissingContent } from './show-plan.js';
import type { NamespaceReport } from '../namespace-report.js';
import { CallFailed, type HeadAnswer, type RemoteHolder } from '../remote-holder.js';
import type { CorrectedTime } from '../corrected-time.js';
import type { RootKeeper } from '../root-keeper.js';
import { AgeOfHead } from './age-of-head.js';
import { HoldingsCount } from './holdings-count.js';
import { HeldReplica, type HeldReplicaOptions } from './held-replica.js';
import type { News } from './news.js';
import { RefusedNews } from './refused-news.js';
import type { ReplicaPlace, Source } from './replica-parts.js';
import { ReplicaRounds } from './replica-rounds.js';

export interface ReplicatedNamespaceOptions extends Omit<HeldReplicaOptions, 'openHead' | 'onWanted' | 'onEdition'> {
  readonly roots: RootKeeper;
  /** Corrected by what the primary says. */
  readonly time: CorrectedTime;
  readonly place: ReplicaPlace;
  /** Another node as a holder of this namespace. */
  readonly holderAt: (url: string) => RemoteHolder;
  readonly content: DocumentContent;
  readonly pulls: ContentPulls;
  /** The times at which contents may be pulled; null for any. */
  readonly window: WindowTimes | null;
  /** Whether others can tell this node of news. */
  readonly isReachable: boolean;
  /** How often to ask for news that nobody told of. */
  readonly pollEvery: Milliseconds;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a holder may wait with its answer where nobody can tell this node of news. */
const longPoll = milliseconds(30_000);

/** A namespace of which this node is a replica (protocol rules 1 to 3, decisions 1, 2, 13, 14). */
export class ReplicatedNamespace implements HeldNamespace {
  readonly role = 'replica';
  readonly namespace: Namespace;
  readonly content: DocumentContent;
  readonly refused: RefusedNews;
  readonly #options: ReplicatedNamespaceOptions;
  readonly #replica: HeldReplica;
  readonly #puller: Puller;
  readonly #window: UpdateWindow | null;
  readonly #age: AgeOfHead;
  readonly #count: HoldingsCount;
  #doneAtCount = bytes(0);
  readonly #rounds: ReplicaRounds;
  readonly #listeners = new Set<() => void>();
  readonly #ending = new AbortController();
  /** The one that has answered last; null while none does. */
  #source: Source | null = null;
  #failure: string | null = null;
  /** The newest that somebody told of, of which the changes may not be known yet. */
  #heardOf: SignedHead | null = null;
  #behindSince: MonotonicMs | null = null;
  #changes = 0;
  #isClockWrong = false;

  private constructor(options: ReplicatedNamespaceOptions, parts: ReplicaParts) {
    this.#options = options;
    this.namespace = options.namespace;
    this.content = options.content;
    this.refused = parts.refused;
    this.#replica = parts.replica;
    const held = parts.replica.view.held?.head.head;
    this.#age = new AgeOfHead(
      options.clock,
      milliseconds(held === undefined ? 0 : Math.max(0, options.clock.now() - held.issued)),
    );
    this.#count = new HoldingsCount(options.blobs, options.rules);
    this.#puller = this.#makePuller();
    this.#window = options.window && new UpdateWindow(options.window, options.clock, () => this.#obeyWindow());
    parts.events.onWanted = (wanted) => this.#want(wanted);
    parts.events.onEdition = () => this.#onEdition();
    const wait = options.isReachable ? null : (signal: AbortSignal) => this.#awaitNews(signal);
    this.#rounds = new ReplicaRounds({ round: () => this.#round(), wait, every: options.pollEvery });
  }

  static async open(options: ReplicatedNamespaceOptions): Promise<ReplicatedNamespace> {
    const { namespace, roots, logger } = options;
    const events: ReplicaEvents = { onWanted: () => undefined, onEdition: () => undefined };
    const replica = await HeldReplica.open({
      ...options,
      openHead: (jws) => openHead(jws, namespace, (id) => roots.keyFor(id)).catch(() => null),
      onWanted: (contents) => events.onWanted(contents),
      onEdition: () => events.onEdition(),
    });
    return new ReplicatedNamespace(options, { replica, events, refused: new RefusedNews(logger, namespace) });
  }

  /** Begins to follow. Idempotent. */
  start(): void {
    this.#recount();
    void this.#replica.complete();
    this.#window?.start();
    this.#obeyWindow();
    this.#rounds.wake();
  }

  get policy(): NamespacePolicy {
    return this.#options.place.group?.group.policy ?? usualPolicy;
  }

  get edition(): Edition | null {
    return this.#replica.view.held;
  }

  settled(): Promise<Edition | null> {
    return Promise.resolve(this.edition);
  }

  visible(path: string): Change<string> | undefined {
    return this.#replica.view.visible(path);
  }

  provable(path: string): Promise<Provable | null> {
    return Promise.resolve(this.#replica.view.provable(path));
  }

  get confirmedAge(): Milliseconds {
    return this.#age.value;
  }

  onEdition(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What is held whole. */
  get heldVersion(): HeldVersion | null {
    const head = this.edition?.head.head;
    return head === undefined ? null : { epoch: head.epoch, seq: head.seq, root: head.root };
  }

  /** The newest head that is believed, be it held or not yet. */
  get known(): Head | null {
    return this.#newestHead()?.head ?? null;
  }

  /**
   * Somebody says that there is a newer head: this one, or null if he does not say which. What is no news costs a comparison;
   * nothing is pulled from whoever said it.
   */
  async hint(jws: string | null): Promise<void> {
    const { roots, time } = this.#options;
    if (jws === null) {
      this.#rounds.wake();
      return;
    }
    const known = this.#newestHead();
    const offered = await openHead(jws, this.namespace, (id) => roots.keyFor(id)).catch(() => null);
    // of somebody whose key is not known: it is asked for who signs
    if (offered !== null && judgeHead(known?.head ?? null, offered.head, time.now()) !== 'newer') return;
    if (offered !== null) this.#heardOf = offered;
    this.#rounds.wake();
  }

  /** Some of this content, or its block list, is damaged or gone: it is looked at, and what is lacking is pulled anew. */
  async mend({ digest, blocks }: Pick<Variant, 'digest' | 'blocks'>): Promise<void> {
    const { blobs, logger } = this.#options;
    try {
      await blobs.check(digest);
      await blobs.check(blocks);
      await this.#replica.complete();
    } catch (error) {
      logger.error(
        { code: 'document-not-mended', namespace: this.namespace, error },
        'a damaged content stays as it is',
      );
    }
  }

  /** Asks for news now. */
  wake(): void {
    this.#rounds.wake();
    this.#puller.retry();
  }

  get standing(): ReplicaStanding {
    const { place } = this.#options;
    const { held, newest } = this.#replica.view;
    const known = this.#newestHead();
    const isBehind = known !== null && (held === null || compareVersions(known.head, held.head.head) > 0);
    const { documents, bytes: here, totalBytes } = this.#count.current;
    const lag =
      isBehind && held !== null
        ? Math.max(1, known.head.seq - held.head.head.seq)
        : (known?.head.seq ?? 0) - (held?.head.head.seq ?? 0);
    const now = this.#options.clock.monotonic();
    const state =
      held === null && newest === null
        ? 'joining'
        : this.#source === null
          ? 'cut-off'
          : isBehind
            ? 'behind'
            : 'in-step';
    return {
      state,
      reason: place.refusal ?? this.#failure,
      known: known?.head ?? null,
      lag: {
        changes: lag,
        time: milliseconds(this.#behindSince === null ? 0 : elapsedMonotonic(this.#behindSince, now)),
      },
      source: this.#source,
      left: this.#replica.left,
      changes: this.#changes,
      progress: this.#puller.progress,
      counters: this.#puller.counters,
      ...{ documents, totalBytes },
      bytes: bytes(Math.min(totalBytes, here + this.#puller.progress.bytesDone - this.#doneAtCount)),
    };
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#ending.abort(new Error('the node stops'));
    this.#window?.stop();
    await this.#rounds.stop();
    await this.#puller.stop();
    await this.#count.stop();
    await this.#replica.close();
  }

  #makePuller(): Puller {
    const { blobs, pulls, place, holderAt } = this.#options;
    return new Puller({
      ...{ store: blobs, pulls },
      sources: () => place.sources().map(({ url }) => holderAt(url)),
      onHave: (digest) => this.#replica.arrived(digest),
      onFailed: (_, error) => this.#onPullFailed(error),
      onRefused: ({ url, reason, message }) => this.refused.noteContent(url, reason, message),
    });
  }

  #recount(): void {
    this.#doneAtCount = this.#puller.progress.bytesDone;
    this.#count.count(() => this.#replica.view.latest());
  }

  #want(wanted: readonly MissingContent[]): void {
    const epoch = this.#newestTaken()?.head.epoch ?? null;
    const contents = wanted.map(({ variant, relatives, seq }) => ({ content: variant, relatives, seq }));
    this.#puller.want({ epoch, contents });
    this.#recount();
  }

  #onPullFailed(error: unknown): void {
    const isFull = error instanceof BlobStoreError && error.fault === 'full';
    if (isFull && this.#replica.makeRoom()) void this.#options.blobs.collect().then(() => this.#puller.retry());
    else if (isFull) this.#noteFull(error);
    // nobody has it any more: there must be a newer one
    else if (error instanceof NoSource && !error.isOutage) this.#rounds.wake();
  }

  #noteFull(error: BlobStoreError): void {
    const { logger } = this.#options;
    this.#failure = error.message;
    logger.error(
      { code: 'documents-full', namespace: this.namespace, error },
      'there is no room for what is replicated',
    );
  }

  #obeyWindow(): void {
    if (this.#window === null) return;
    if (this.#window.isOpen) this.#puller.resume();
    else this.#puller.pause();
  }

  /** Asks one source after the other. @returns whether one of them has answered */
  async #round(): Promise<boolean> {
    const { place, time } = this.#options;
    let isWell = false;
    for (const source of place.sources()) {
      if (this.#ending.signal.aborted) return true;
      const news = await this.#ask(source);
      if (news === null) continue;
      isWell = true;
      this.#source = source;
      // one that is behind, or has not heard of the primary for long, may be cut off itself
      const isFresh = news.kind !== 'behind' && time.now() < news.answer.head.head.refreshAfter + staleAfter;
      const isNewest = this.#heardOf === null || !isBefore(this.#newestTaken(), this.#heardOf);
      if (isFresh && isNewest) break;
    }
    if (!isWell) this.#source = null;
    else this.#failure = null;
    this.#noteLag();
    return isWell;
  }

  async #ask(source: Source): Promise<News | null> {
    const { roots, place, holderAt, clock } = this.#options;
    const { signal } = this.#ending;
    try {
      if (!roots.isKnown) await roots.learn(signal);
      const began = clock.monotonic();
      const news = await this.#replica.take(holderAt(source.url), signal);
      place.well(source.url);
      if (news.kind !== 'behind') this.#noteAge(news.answer, began);
      if (news.kind === 'changes') this.#changes++;
      return news;
    } catch (error) {
      if (signal.aborted) return null;
      await this.#noteFailure(source, error);
      return null;
    }
  }

  async #noteFailure({ url }: Source, error: unknown): Promise<void> {
    const { roots, place, logger } = this.#options;
    this.#failure = error instanceof Error ? error.message : String(error);
    if (!this.refused.note(url, error)) {
      logger.debug({ code: 'source-failed', namespace: this.namespace, url, error }, 'a source did not answer');
    }
    place.failed(url);
    const isUnknownKey =
      (error instanceof CallFailed || error instanceof NotBelieved) && error.reason === 'wrong-signature';
    if (error instanceof CallFailed && error.reason === 'out-of-window') await this.#setClock(url);
    // the key may have been replaced
    if (isUnknownKey) await roots.learn(this.#ending.signal).catch(() => undefined);
  }

  /** With the whole round trip, for nobody knows when in it the answer was made. */
  #noteAge({ age, head }: HeadAnswer, began: MonotonicMs): void {
    const { clock, time, logger } = this.#options;
    const confirmed = milliseconds(age + elapsedMonotonic(began, clock.monotonic()));
    this.#age.set(confirmed);
    const offset = milliseconds(head.head.issued + confirmed - clock.now());
    time.note(this.namespace, offset);
    const isWrong = Math.abs(offset) > clockTolerance;
    if (isWrong && !this.#isClockWrong) {
      const seconds = Math.round(Math.abs(offset) / 1000);
      const text = `the clock of this node is ${seconds} s ${offset > 0 ? 'behind' : 'ahead of'} that of the primary`;
      logger.warn({ code: 'clock-differs', namespace: this.namespace, offset: Math.round(offset) }, text);
    }
    this.#isClockWrong = isWrong;
  }

  /** Calls are refused for their date: heads, which are for everybody, say what time it is. */
  async #setClock(url: string): Promise<void> {
    const { clock, holderAt } = this.#options;
    const began = clock.monotonic();
    const answer = await holderAt(url)
      .head(null, milliseconds(0), this.#ending.signal)
      .catch(() => null);
    if (answer === null) return;
    this.#noteAge(answer, began);
    this.#rounds.wake();
  }

  #noteLag(): void {
    const { held } = this.#replica.view;
    const known = this.#newestHead();
    const isBehind = known !== null && (held === null || isBefore(held.head, known));
    if (!isBehind) this.#behindSince = null;
    else this.#behindSince ??= this.#options.clock.monotonic();
  }

  async #awaitNews(signal: AbortSignal): Promise<void> {
    const source = this.#source;
    if (source === null) throw new Error('nobody can be asked');
    const after = this.#newestTaken()?.head ?? null;
    const both = AbortSignal.any([signal, this.#ending.signal]);
    await this.#options.holderAt(source.url).head(after, longPoll, both);
  }

  #newestTaken(): SignedHead | null {
    return this.#replica.view.newest?.head ?? null;
  }

  #newestHead(): SignedHead | null {
    const taken = this.#newestTaken();
    const heardOf = this.#heardOf;
    return heardOf !== null && isBefore(taken, heardOf) ? heardOf : taken;
  }

  #onEdition(): void {
    this.#noteLag();
    const { edition } = this;
    if (edition === null) return;
    this.#recount();
    this.#options.place.announce(edition.head, this.confirmedAge);
    for (const listener of this.#listeners) listener();
  }
}

/** How a replica fares. */
export interface ReplicaStanding {
  readonly state: NamespaceReport['state'];
  readonly reason: string | null;
  readonly known: Version | null;
  readonly lag: NamespaceReport['lag'];
  readonly source: Source | null;
  /** Changes that cannot be shown yet. */
  readonly left: number;
  readonly changes: number;
  readonly progress: Progress;
  readonly counters: Puller['counters'];
  readonly documents: number;
  readonly bytes: Bytes;
  readonly totalBytes: Bytes;
}

interface ReplicaParts {
  readonly replica: HeldReplica;
  readonly events: ReplicaEvents;
  readonly refused: RefusedNews;
}

interface ReplicaEvents {
  onWanted: HeldReplicaOptions['onWanted'];
  onEdition: HeldReplicaOptions['onEdition'];
}

const isBefore = (one: SignedHead | null, other: SignedHead): boolean =>
  one === null || compareVersions(one.head, other.head) < 0;

/** Until the group of the namespace is known. */
const usualPolicy: NamespacePolicy = {
  consistency: { mode: 'eventual' },
  grace: defaultGrace,
  complete: true,
  credentials: 'ignore',
  query: 'ignore',
};

/** How long after a head should have been stated anew its holder is taken for cut off. */
const staleAfter = milliseconds(30_000);

const clockTolerance = milliseconds(5 * 60_000);
