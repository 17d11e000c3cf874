import { bytes, type Milliseconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import { openHead, type Head } from '../../wlis/trust/head.js';
import { defaultGrace, type NamespacePolicy } from '../../wlis/trust/namespace-policy.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { Change } from '../change-list.js';
import type { DocumentContent, Edition, HeldNamespace, Provable } from '../held-namespace.js';
import { BlobStoreError } from '../blob-store-error.js';
import type { ContentPulls } from '../pull/content-pulls.js';
import { Puller } from '../pull/puller.js';
import { NoSource } from '../pull/source-trial.js';
import type { WantedContent } from '../pull/wanted-contents.js';
import type { HeldVersion } from '../tree/join-request.js';
import { UpdateWindow, type WindowTimes } from '../update-window.js';
import type { MissingContent } from './show-plan.js';
import type { RemoteHolder } from '../remote-holder.js';
import type { CorrectedTime } from '../../wlis/corrected-time.js';
import type { RootKeeper } from '../../wlis/root-keeper.js';
import { AskedSources } from './asked-sources.js';
import { HeldReplica, type HeldReplicaOptions } from './held-replica.js';
import { OwnLag, stateOf, type OwnStanding } from './own-standing.js';
import { RefusedNews } from './refused-news.js';
import type { ReplicaPlace } from './replica-parts.js';

export interface ReplicatedNamespaceOptions extends Omit<HeldReplicaOptions, 'openHead' | keyof ReplicaEvents> {
  readonly roots: Pick<RootKeeper, 'isKnown' | 'keyFor' | 'everKeyFor' | 'learn' | 'seek'>;
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

/** A namespace of which this node is a replica (protocol rules 1 to 3, decisions 1, 2, 13, 14). */
export class ReplicatedNamespace implements HeldNamespace {
  readonly role = 'replica';
  readonly namespace: Namespace;
  readonly content: DocumentContent;
  readonly refused: RefusedNews;
  readonly #options: ReplicatedNamespaceOptions;
  readonly #replica: HeldReplica;
  readonly #sources: AskedSources;
  readonly #puller: Puller;
  readonly #window: UpdateWindow | null;
  readonly #lag: OwnLag;
  readonly #listeners = new Set<() => void>();
  /** Why what is known cannot be held. */
  #fault: string | null = null;

  private constructor(options: ReplicatedNamespaceOptions, replica: HeldReplica, events: ReplicaEvents) {
    const { clock, logger, namespace, content, window } = options;
    this.#options = options;
    this.namespace = namespace;
    this.content = content;
    this.refused = new RefusedNews(logger, namespace);
    this.#replica = replica;
    this.#lag = new OwnLag(clock);
    this.#sources = new AskedSources({
      ...options,
      ...{ replica, refused: this.refused, onRound: () => this.#lag.note(this.heldVersion, this.known) },
    });
    this.#puller = this.#makePuller();
    this.#window = window && new UpdateWindow(window, clock, () => this.#obeyWindow());
    events.onWanted = (wanted) => this.#want(wanted);
    events.onEdition = () => this.#onEdition();
    events.onUnwritten = (error) => this.#noteFault(error);
  }

  static async open(options: ReplicatedNamespaceOptions): Promise<ReplicatedNamespace> {
    const { namespace, roots } = options;
    const nothing = (): void => undefined;
    const events: ReplicaEvents = { onWanted: nothing, onEdition: nothing, onUnwritten: nothing };
    const replica = await HeldReplica.open({
      ...options,
      now: options.time.now,
      // what was believed when it was written down goes on being served, be there another key by now
      openHead: (jws) => openHead(jws, namespace, (id) => roots.everKeyFor(id)).catch(() => null),
      onWanted: (contents) => events.onWanted(contents),
      onEdition: () => events.onEdition(),
      onUnwritten: (error) => events.onUnwritten(error),
    });
    return new ReplicatedNamespace(options, replica, events);
  }

  /** Begins to follow. Idempotent. */
  start(): void {
    this.#replica.complete().catch((error: unknown) => this.#noteFault(error));
    this.#window?.start();
    this.#obeyWindow();
    this.#sources.wake();
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
    return this.#sources.confirmedAge;
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
    return this.#sources.newest?.head ?? null;
  }

  /**
   * Somebody says that there is a newer head: this one, or null if he does not say which. What is no news costs a comparison;
   * nothing is pulled from whoever said it.
   */
  hint(jws: string | null): Promise<void> {
    return this.#sources.hint(jws);
  }

  /** Some of this content, or its block list, is damaged or gone: it is looked at, and what is lacking is pulled anew. */
  async mend({ digest, blocks }: Pick<Variant, 'digest' | 'blocks'>): Promise<void> {
    const { blobs, logger, namespace } = this.#options;
    try {
      await blobs.check(digest);
      await blobs.check(blocks);
      await this.#replica.complete();
    } catch (error) {
      logger.error({ code: 'document-not-mended', namespace, error }, 'a damaged content stays as it is');
    }
  }

  /** Asks for news now. */
  wake(): void {
    this.#sources.wake();
    this.#puller.retry();
  }

  get standing(): OwnStanding {
    const { source, failure } = this.#sources;
    const { changes, bytesSpared } = this.#replica.taken;
    const [held, known] = [this.heldVersion, this.known];
    const holdings = this.#replica.holdings;
    const { progress, underWay } = this.#puller;
    const { bytesPulled, bytesSpared: inBlocks } = this.#puller.counters;
    const counters = { bytesPulled, bytesSpared: bytes(bytesSpared + inBlocks) };
    return {
      state: stateOf({ held, known, source, hasList: this.#replica.view.newest !== null }),
      reason: this.#options.place.refusal ?? this.#fault ?? failure,
      lag: this.#lag.read(held, known),
      ...{ known, source, changes, progress, counters, left: this.#replica.left },
      ...holdings,
      bytes: bytes(Math.min(holdings.totalBytes, holdings.bytes + underWay)),
    };
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#window?.stop();
    await this.#sources.stop();
    await this.#puller.stop();
    await this.#replica.close();
  }

  /** After `stop`, where the store of contents stays open. */
  letGo(): Promise<void> {
    return this.#replica.letGo();
  }

  #makePuller(): Puller {
    const { blobs, pulls, place, holderAt } = this.#options;
    return new Puller({
      ...{ store: blobs, pulls },
      sources: () => [...place.sources(), ...place.others()].map(({ url }) => holderAt(url)),
      onHave: (digest) => this.#replica.arrived(digest),
      onFailed: (_, error) => this.#onPullFailed(error),
      onRefused: ({ url, reason, message }) => this.refused.noteContent(url, reason, message),
    });
  }

  #want(wanted: readonly MissingContent[]): void {
    const epoch = this.#replica.view.newest?.head.head.epoch ?? null;
    this.#puller.want({ epoch, contents: contentsOf(wanted) });
  }

  #onPullFailed(error: unknown): void {
    const isFull = error instanceof BlobStoreError && error.fault === 'full';
    if (isFull && this.#replica.makeRoom()) void this.#options.blobs.collect().then(() => this.#puller.retry());
    else if (isFull) this.#noteFault(error);
    // nobody has it any more: there must be a newer one
    else if (error instanceof NoSource && !error.isOutage) this.#sources.wake();
  }

  #noteFault(error: unknown): void {
    const { logger, namespace } = this.#options;
    this.#fault = error instanceof Error ? error.message : String(error);
    const isFull = error instanceof BlobStoreError && error.fault === 'full';
    if (isFull) logger.error({ code: 'documents-full', namespace, error }, 'there is no room for what is replicated');
    else logger.error({ code: 'replica-unwritten', namespace, error }, 'what came cannot be written down');
  }

  #obeyWindow(): void {
    if (this.#window === null) return;
    if (this.#window.isOpen) this.#puller.resume();
    else this.#puller.pause();
  }

  #onEdition(): void {
    this.#fault = null;
    this.#lag.note(this.heldVersion, this.known);
    const { edition } = this;
    if (edition === null) return;
    this.#options.place.announce(edition.head, this.confirmedAge);
    for (const listener of this.#listeners) listener();
  }
}

function* contentsOf(wanted: readonly MissingContent[]): Generator<WantedContent> {
  for (const { variant, relatives, seq } of wanted) yield { content: variant, relatives, seq };
}

interface ReplicaEvents {
  onWanted: HeldReplicaOptions['onWanted'];
  onEdition: HeldReplicaOptions['onEdition'];
  onUnwritten: HeldReplicaOptions['onUnwritten'];
}

/** Until the group of the namespace is known. */
const usualPolicy: NamespacePolicy = {
  consistency: { mode: 'eventual' },
  grace: defaultGrace,
  complete: true,
  credentials: 'ignore',
  query: 'ignore',
  search: false,
};
