import { bytes, elapsedMonotonic, milliseconds, type Bytes, type Milliseconds } from '../config/units.js';
import type { EpochMs, MonotonicMs } from '../config/units.js';
import type { Clock } from '../proxy/base/clock.js';
import type { Logger } from '../proxy/base/logger.js';
import type { Namespace } from '../wlis/namespace.js';
import type { Epoch } from '../wlis/trust/epoch.js';
import type { SignedHead } from '../wlis/trust/head.js';
import { Trie } from '../wlis/trust/trie.js';
import { ChangeList, type Change } from './change-list.js';
import { lengthIn } from './document-blobs.js';
import { grownTrie } from './grown-trie.js';
import { CannotSign, type HeadSigner } from './head-signer.js';
import type { Edition } from './held-namespace.js';
import { OwnHeads } from './own-heads.js';

export interface EditionKeeperOptions {
  readonly namespace: Namespace;
  /** What is published at present: another list after a new epoch has begun. */
  readonly published: () => { readonly epoch: Epoch; readonly list: ChangeList<string> };
  readonly heads: Pick<HeadSigner, 'sign'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Makes editions of what a primary publishes: one head for all changes that come while the one before is being signed. What
 * is published is ahead of the edition for that long; the edition has a list of its own, so that it is always of one piece.
 */
export class EditionKeeper {
  readonly #options: EditionKeeperOptions;
  readonly #listeners = new Set<() => void>();
  #edition: Edition | null = null;
  #publishedAt: MonotonicMs | null = null;
  #signedAt: MonotonicMs | null = null;
  /** Of the epoch that is published. Its list is that of the next edition but for what is in `ahead`. */
  #epoch: Epoch | null = null;
  #list = new ChangeList<string>();
  #ahead = new ChangeList<string>();
  #trie = Trie.empty;
  #own: OwnHeads | null = null;
  #bytes = 0;
  #isAtomic = false;
  /** Published, and not in the trie yet. */
  #pending: Change<string>[] = [];
  /** All of it is to be made from what is published. */
  #isAnew = true;
  #isWanted = false;
  /** A head is wanted whether or not anything has changed. */
  #isRenewal = false;
  #maySign = false;
  /** The first head is that of all there was when heads were begun to be signed. */
  #firstHead = 0;
  #step: Promise<void> | null = null;
  #problem: string | null = null;
  #stopped = false;

  constructor(options: EditionKeeperOptions) {
    this.#options = options;
  }

  get edition(): Edition | null {
    return this.#edition;
  }

  /** Why what is published is not in an edition, for the operator. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Of all contents. */
  get bytes(): Bytes {
    return bytes(this.#bytes);
  }

  /** Since the head of the edition was signed. */
  get age(): Milliseconds {
    if (this.#publishedAt === null) return milliseconds(0);
    return elapsedMonotonic(this.#publishedAt, this.#options.clock.monotonic());
  }

  /** When a head was signed last, or could not be; null before the first. */
  get triedAt(): MonotonicMs | null {
    return this.#signedAt;
  }

  /** What was signed in this epoch; null before `prepare`. */
  get own(): OwnHeads | null {
    return this.#own;
  }

  /** Makes the trie of what is published, and signs nothing. */
  async prepare(): Promise<void> {
    this.#want();
    await this.#idle();
  }

  /** From now on heads are signed. Idempotent. */
  begin(): void {
    if (this.#maySign) return;
    this.#maySign = true;
    this.#firstHead = this.#options.published().list.last;
    this.#want();
  }

  get isBegun(): boolean {
    return this.#maySign;
  }

  /** Changes that have been published just now. */
  take(changes: readonly Change<string>[]): void {
    for (const change of changes) this.#pending.push(change);
    this.#want();
  }

  /** Signs a new head whether or not anything has changed. Fulfilled when there is one, or there can be none. */
  async renew(): Promise<void> {
    this.#isRenewal = true;
    this.#want();
    await this.#step;
  }

  /** Another epoch has begun with the same documents. */
  startAgain(): void {
    this.#isAnew = true;
    this.#own = null;
    this.#want();
  }

  /** Waits until what is published now is in the edition, or cannot be signed. */
  async settled(): Promise<Edition | null> {
    const { epoch, list } = this.#options.published();
    const { last } = list;
    const isIn = (): boolean => {
      const head = this.#edition?.head.head;
      return head?.epoch === epoch && head.seq >= last;
    };
    while (this.#step !== null && !isIn()) await this.#step;
    return this.#edition;
  }

  forgetRemovals(before: EpochMs): void {
    this.#list.forgetRemovals(before);
  }

  onEdition(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Waits for what was begun. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#idle();
  }

  #want(): void {
    this.#isWanted = true;
    if (this.#step !== null || this.#stopped) return;
    this.#step = this.#take().finally(() => {
      this.#step = null;
      if (this.#isWanted) this.#want();
    });
  }

  async #idle(): Promise<void> {
    while (this.#step !== null) await this.#step;
  }

  async #take(): Promise<void> {
    // what else is published in this turn comes in as well
    await Promise.resolve();
    this.#isWanted = false;
    try {
      if (this.#isAnew) await this.#readAll();
      const isWhole = await this.#absorb();
      if (isWhole && this.#maySign && !this.#stopped && this.#ahead.last >= this.#firstHead && this.#hasToSign)
        await this.#sign();
    } catch (error) {
      this.#isAnew = !(error instanceof CannotSign);
      this.#fail(error);
    }
  }

  get #hasToSign(): boolean {
    const head = this.#edition?.head.head;
    return this.#isRenewal || head === undefined || head.epoch !== this.#epoch || head.seq < this.#ahead.last;
  }

  async #readAll(): Promise<void> {
    this.#isAnew = false;
    this.#pending = [];
    this.#firstHead = 0;
    const { epoch, list } = this.#options.published();
    const changes = [...list.changes()];
    this.#epoch = epoch;
    this.#own = null;
    this.#list = new ChangeList({ last: list.last, floor: list.floor, changes });
    this.#ahead = listBehind(list.last);
    this.#isAtomic = changes.some(({ seq, together }) => seq < together && together === list.last);
    this.#bytes = 0;
    const place = { namespace: this.#options.namespace, epoch };
    const trie = await grownTrie(Trie.empty, this.#counted(changes), place, () => this.#isOver);
    if (trie === null) {
      this.#isAnew = true;
      return;
    }
    this.#trie = trie;
    this.#own = new OwnHeads(epoch, list.last, trie.root);
  }

  *#counted(changes: readonly Change<string>[]): Generator<Change<string>> {
    for (const change of changes) {
      this.#bytes += lengthIn(change.document);
      yield change;
    }
  }

  /** Brings what is pending into the trie. Gives whether that is all of one epoch. */
  async #absorb(): Promise<boolean> {
    if (this.#isAnew || this.#epoch === null) return false;
    // what had been published before all was read has been read
    const changes = this.#pending.filter(({ seq }) => seq > this.#ahead.last);
    this.#pending = [];
    if (changes.length === 0) return true;
    const place = { namespace: this.#options.namespace, epoch: this.#epoch };
    const trie = await grownTrie(this.#trie, changes, place, () => this.#isOver);
    if (trie === null || this.#isOver) {
      this.#isAnew = true;
      return false;
    }
    if (this.#ahead.counts.documents + this.#ahead.counts.removals === 0) this.#isAtomic = false;
    this.#isAtomic ||= changes.some(({ seq, together }) => seq < together);
    for (const { path } of changes) this.#bytes -= lengthIn(this.#document(path));
    this.#ahead.apply(changes);
    for (const { path } of changes) this.#bytes += lengthIn(this.#document(path));
    this.#trie = trie;
    return true;
  }

  #document(path: string): string | null {
    return (this.#ahead.latest(path) ?? this.#list.latest(path))?.document ?? null;
  }

  get #isOver(): boolean {
    return this.#isAnew || this.#stopped;
  }

  async #sign(): Promise<void> {
    const [epoch, trie, ahead] = [this.#epoch as Epoch, this.#trie, this.#ahead];
    const content = { epoch, seq: ahead.last, root: trie.root, atomic: this.#isAtomic };
    this.#isRenewal = false;
    this.#signedAt = this.#options.clock.monotonic();
    const { signed, at } = await this.#options.heads.sign(content);
    if (this.#isAnew) return;
    this.#list.apply(ahead.changes());
    this.#ahead = listBehind(ahead.last);
    this.#publish(signed, trie, at);
  }

  #publish(head: SignedHead, trie: Trie, at: MonotonicMs): void {
    this.#own?.add(head.head);
    this.#edition = { head, trie, list: this.#list };
    this.#publishedAt = at;
    if (this.#problem !== null) {
      const event = { code: 'head-signed-again', namespace: this.#options.namespace };
      this.#options.logger.info(event, 'that is over: heads are signed again');
    }
    this.#problem = null;
    for (const listener of this.#listeners) listener();
  }

  #fail(error: unknown): void {
    const { logger, namespace } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#problem === null) {
      const event = { code: 'head-not-signed', namespace, reason, error };
      logger.error(event, 'no head can be signed: replicas do not learn of changes until it is');
    }
    this.#problem = reason;
  }
}

/** An empty list whose next number comes after that one. */
const listBehind = (last: number): ChangeList<string> => new ChangeList({ last, floor: last, changes: [] });
