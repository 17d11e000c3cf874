import { join } from 'node:path';
import { milliseconds, type Milliseconds } from '../config/units.js';
import type { Clock } from '../proxy/base/clock.js';
import type { Logger } from '../proxy/base/logger.js';
import type { Namespace } from '../wlis/namespace.js';
import type { Epoch } from '../wlis/trust/epoch.js';
import type { SignedHead } from '../wlis/trust/head.js';
import type { SigningKey } from '../wlis/trust/jws.js';
import type { NamespacePolicy } from '../wlis/trust/namespace-policy.js';
import type { BlobStore } from './blob-store.js';
import type { Change } from './change-list.js';
import { EditionKeeper } from './edition-keeper.js';
import { EpochGuard } from './epoch-guard.js';
import { HeadSigner } from './head-signer.js';
import type { DocumentContent, Edition, HeldNamespace } from './held-namespace.js';
import type { NamespaceReport } from './namespace-report.js';
import { primaryReport } from './primary-report.js';
import { PrimaryUpkeep } from './primary-upkeep.js';
import { Publication } from './publication.js';
import type { ScanReport } from './replication-control.js';
import { ScanRecord } from './scan-record.js';
import { DirectorySource, type DirectorySourceOptions, type SourceStatus } from './source/directory-source.js';
import { untilFinished } from './source/until-finished.js';
import { StoredContent } from './stored-content.js';
import { within } from '../proxy/base/within.js';

export interface PrimaryNamespaceOptions extends Pick<
  DirectorySourceOptions,
  'directory' | 'rules' | 'scanEvery' | 'watch' | 'times'
> {
  readonly namespace: Namespace;
  /** Its journal, and what it knows of files; made if it is not there. Of this namespace alone. */
  readonly dataDirectory: string;
  /** Of the node; closed by its owner, after this has stopped. */
  readonly blobs: BlobStore;
  /** The key that signs for the namespace at present, or why there is none, in words that say what to do. */
  readonly signer: () => Promise<SigningKey | string>;
  readonly policy: NamespacePolicy;
  /** A new head at least so often. */
  readonly heartbeat: Milliseconds;
  /** How long a head proves what is; not shorter than two heartbeats. */
  readonly headLifetime: Milliseconds;
  /** How long it is told of removals; whoever has been away for longer has to compare. */
  readonly keepRemovals: Milliseconds;
  /** How long members are waited for at the start. */
  readonly memberPatience: Milliseconds;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A namespace of which this node is the primary: what lies in a directory, numbered, signed and kept. Order (rule 1 of the
 * protocol): bytes durable, journal durable, visible, signed, told.
 *
 * There is no edition before the directory has been looked at for the first time and something is published: replicas of an
 * earlier life would take an empty one for the removal of everything.
 */
export class PrimaryNamespace implements HeldNamespace {
  readonly role = 'primary';
  readonly content: DocumentContent;
  readonly #options: PrimaryNamespaceOptions;
  readonly #publication: Publication;
  readonly #heads: HeadSigner;
  readonly #keeper: EditionKeeper;
  readonly #guard: EpochGuard;
  readonly #upkeep: PrimaryUpkeep;
  readonly #stopping = new AbortController();
  /** Those that are under way. */
  readonly #scans = new Set<ScanRecord>();
  #source: DirectorySource | null = null;
  #changes = 0;
  #started: Promise<void> | null = null;
  #stopped: Promise<void> | null = null;

  private constructor(options: PrimaryNamespaceOptions, publication: Publication, heads: HeadSigner) {
    const { namespace, clock, logger, blobs } = options;
    this.#options = options;
    this.#publication = publication;
    this.#heads = heads;
    this.content = new StoredContent(blobs);
    this.#keeper = new EditionKeeper({ namespace, published: () => publication, heads, clock, logger });
    this.#guard = new EpochGuard({ namespace, publication, keeper: this.#keeper, heads, clock, logger });
    this.#upkeep = new PrimaryUpkeep({ ...options, publication, keeper: this.#keeper });
  }

  /** Reads what was published. Nothing is looked at, signed or changed before `start`. @throws Error what the system says */
  static async open(options: PrimaryNamespaceOptions): Promise<PrimaryNamespace> {
    const { namespace, dataDirectory, blobs, clock, logger, signer, heartbeat, headLifetime } = options;
    const told: { primary: PrimaryNamespace | null } = { primary: null };
    const publication = await Publication.open({
      ...{ namespace, path: join(dataDirectory, 'journal'), blobs, clock, logger },
      onPublished: (changes) => {
        if (told.primary !== null) told.primary.#take(changes);
      },
    });
    try {
      const heads = await HeadSigner.open({
        ...{ namespace, signer, heartbeat, lifetime: headLifetime, clock, logger },
        issuedPath: join(dataDirectory, 'issued'),
      });
      told.primary = new PrimaryNamespace(options, publication, heads);
      return told.primary;
    } catch (error) {
      await publication.close();
      throw error;
    }
  }

  get namespace(): Namespace {
    return this.#options.namespace;
  }

  get policy(): NamespacePolicy {
    return this.#options.policy;
  }

  /**
   * Signs the first head and begins to look at the directory. Fulfilled when there is a head, or nothing that one could be
   * signed for: then the first head comes when something is published. Idempotent.
   *
   * @param memberHeads asks the members for their heads, verified with the keys that sign for the namespace; gives what it has
   *   when it is aborted. What it gives, or fails to give, decides whether this primary was restored from an older state.
   */
  start(memberHeads: (signal: AbortSignal) => Promise<readonly SignedHead[]>): Promise<void> {
    this.#started ??= this.#start(memberHeads);
    return this.#started;
  }

  /** Of what is published, be there a head of it or not yet. */
  get epoch(): Epoch {
    return this.#publication.epoch;
  }

  get edition(): Edition | null {
    return this.#keeper.edition;
  }

  settled(): Promise<Edition | null> {
    return this.#keeper.settled();
  }

  visible(path: string): Change<string> | undefined {
    return this.#publication.list.latest(path);
  }

  provable(): Promise<Edition | null> {
    return this.#keeper.settled();
  }

  get confirmedAge(): Milliseconds {
    return this.#keeper.age;
  }

  onEdition(listener: () => void): () => void {
    return this.#keeper.onEdition(listener);
  }

  /**
   * Looks at heads that members have, which a node that could not be asked at the start may bring later.
   * @param heads verified: signed by the key that signs for the namespace at present
   * @returns whether a new epoch has begun because of them
   */
  meet(heads: readonly SignedHead[]): Promise<boolean> {
    return this.#guard.meet(heads);
  }

  /**
   * Looks at everything now. Fulfilled when what is finished is published and signed, or cannot be.
   * @param patience how long files that are being written, it seems, are waited for
   */
  scan(patience = milliseconds(0)): Promise<ScanReport> {
    return this.#recorded(async (source) => {
      await source.scan();
      await untilFinished(source, this.#options.clock, patience);
    });
  }

  /** What is missing from the directory now is meant to be, be it everything. As `scan`. */
  allowRemovals(patience = milliseconds(0)): Promise<ScanReport> {
    return this.#recorded(async (source) => {
      await source.allowRemovals();
      await untilFinished(source, this.#options.clock, patience);
      this.#keeper.begin();
    });
  }

  /** What is to be known of its directory; null before `start`. */
  get source(): SourceStatus | null {
    return this.#source?.status ?? null;
  }

  report(): NamespaceReport {
    const { namespace } = this.#options;
    const { epoch, list } = this.#publication;
    const { edition, problem, bytes, age, isBegun } = this.#keeper;
    const published = { epoch, seq: list.last, documents: list.counts.documents, bytes, changes: this.#changes };
    return primaryReport({ namespace, published, edition, age, unsigned: problem, isBegun, source: this.source });
  }

  /** Waits for what was begun. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** After `stop`, where the store of contents stays open. */
  async letGo(): Promise<void> {
    await this.#source?.letGo();
    await this.#publication.letGo();
  }

  /** Does what is due at this time; called by a timer. */
  upkeep(): Promise<void> {
    return this.#upkeep.wake();
  }

  async #start(memberHeads: (signal: AbortSignal) => Promise<readonly SignedHead[]>): Promise<void> {
    const [heads] = await Promise.all([this.#ask(memberHeads), this.#keeper.prepare()]);
    if (this.#isStopping()) return;
    if (await this.#guard.meet(heads)) await this.#keeper.prepare();
    if (this.#publication.list.last > 0) this.#keeper.begin();
    await this.settled();
    const { directory, rules, blobs, dataDirectory, clock, logger, scanEvery, watch, times } = this.#options;
    this.#source = await DirectorySource.open({
      ...{ directory, rules, publication: this.#publication, blobs, clock, logger, scanEvery },
      ...(watch !== undefined && { watch }),
      ...(times !== undefined && { times }),
      factsPath: join(dataDirectory, 'facts'),
      onLooked: () => this.#looked(),
    });
    if (this.#isStopping()) return;
    this.#source.start();
    this.#upkeep.start();
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #ask(memberHeads: (signal: AbortSignal) => Promise<readonly SignedHead[]>): Promise<readonly SignedHead[]> {
    const { memberPatience, logger, namespace } = this.#options;
    try {
      return await within(memberPatience, this.#stopping.signal, memberHeads);
    } catch (error) {
      const event = { code: 'members-not-asked', namespace, error };
      logger.warn(event, 'the members could not be asked for their heads: whether this is an older state is not known');
      return [];
    }
  }

  /** All that is finished in the directory is published. */
  #looked(): void {
    const { list } = this.#publication;
    if (!this.#keeper.isBegun && list.counts.documents > 0 && this.#source?.status.problem === null)
      this.#keeper.begin();
  }

  #take(changes: readonly Change<string>[]): void {
    this.#changes += changes.length;
    for (const scan of this.#scans) scan.take(changes);
    this.#keeper.take(changes);
  }

  async #recorded(look: (source: DirectorySource) => Promise<void>): Promise<ScanReport> {
    await this.#started;
    const source = this.#source;
    if (source === null) throw new Error(`${this.namespace}: its directory is not looked at`);
    const record = new ScanRecord();
    this.#scans.add(record);
    try {
      await look(source);
      return record.report(this.namespace, await this.settled(), source.status);
    } finally {
      this.#scans.delete(record);
    }
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    await this.#started?.catch(() => undefined);
    await this.#upkeep.stop();
    await this.#source?.stop();
    await this.#guard.stop();
    await this.#keeper.stop();
    await this.#publication.close();
    await this.#heads.close();
  }
}

/** Sixty seconds. */
export const usualHeartbeat: Milliseconds = milliseconds(60_000);
/** Five minutes. */
export const usualHeadLifetime: Milliseconds = milliseconds(300_000);
/** Thirty days. */
export const usualKeepRemovals: Milliseconds = milliseconds(30 * 86_400_000);
/** Ten seconds. */
export const usualMemberPatience: Milliseconds = milliseconds(10_000);
