import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { EpochMs } from '../config/units.js';
import type { Clock } from '../proxy/base/clock.js';
import type { Logger } from '../proxy/base/logger.js';
import type { Namespace } from '../wlis/namespace.js';
import { compareEpochs, newEpoch, type Epoch } from '../wlis/trust/epoch.js';
import type { BlobStore } from './blob-store.js';
import type { Change, ChangeList, Edit } from './change-list.js';
import { ChangeJournal } from './change-journal.js';
import { digestsIn } from './document-blobs.js';

export interface PublicationOptions {
  readonly namespace: Namespace;
  /** Of the journal. */
  readonly path: string;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of changes in their order, once they are durable, in the turn in which they come into the list. */
  readonly onPublished: (changes: readonly Change<string>[]) => void;
}

/**
 * What a primary has published in a namespace. Order (rule 1 of the protocol): bytes durable, then the journal, then the list,
 * from which it is served, then whoever is told. Documents are texts as `documentText` makes them; the store keeps the bytes of
 * all of them.
 */
export class Publication {
  readonly #options: PublicationOptions;
  #journal: ChangeJournal;
  /** The list on disk may be of the next epoch. */
  #isBetween = false;
  #work: Promise<unknown> = Promise.resolve();
  #compacting: Promise<void> = Promise.resolve();

  private constructor(options: PublicationOptions, journal: ChangeJournal) {
    this.#options = options;
    this.#journal = journal;
  }

  /** Opens the journal, or begins a new epoch where there is none that can be believed. */
  static async open(options: PublicationOptions): Promise<Publication> {
    const { journal, found } = await ChangeJournal.open(options);
    const { logger, clock, namespace } = options;
    if (found.state === 'torn') {
      const cut = { code: 'journal-torn', namespace, cut: found.cut };
      logger.warn(cut, 'the journal of changes ended within a change that nobody had been told of; it is cut off');
    }
    if (journal !== null) {
      const publication = new Publication(options, journal);
      await publication.#holdAll();
      return publication;
    }
    const epoch = newEpoch(null, clock.now(), randomBytes(8));
    if (found.state === 'damaged') {
      const lost = { code: 'journal-lost', namespace, epoch, reason: found.reason };
      logger.error(lost, 'the journal of changes is damaged: a new epoch begins, replicas will compare');
    }
    return new Publication(options, await ChangeJournal.begin(options, epoch));
  }

  get namespace(): Namespace {
    return this.#options.namespace;
  }

  get epoch(): Epoch {
    return this.#journal.epoch as Epoch;
  }

  get list(): ChangeList<string> {
    return this.#journal.list;
  }

  /** Publishes edits, whose bytes have been put into the store. When it rejects nothing has been published. */
  publish(edits: readonly Edit<string>[], isSet: boolean): Promise<readonly Change<string>[]> {
    return this.#next(async () => {
      const { blobs, clock, onPublished } = this.#options;
      if (this.#isBetween) throw new Error('a new epoch could not be begun; numbers of the one before are spent');
      await blobs.sync();
      for (const { document } of edits) this.#hold(document);
      const before = edits.map(({ path }) => this.list.latest(path)?.document ?? null);
      let changes: readonly Change<string>[];
      try {
        changes = await this.#journal.record(edits, clock.now(), isSet, onPublished);
      } catch (error) {
        for (const { document } of edits) this.#release(document);
        throw error;
      }
      for (const document of before) this.#release(document);
      if (this.#journal.isWorthCompacting) this.#compact();
      return changes;
    });
  }

  /**
   * Begins a new epoch with the same documents. When it rejects, nothing is published until it has been done.
   * @param after the latest epoch that is known of elsewhere: the new one is later than this and than the own one
   */
  beginEpoch(after: Epoch): Promise<Epoch> {
    return this.#next(async () => {
      await this.#compacting;
      const previous = compareEpochs(after, this.epoch) > 0 ? after : this.epoch;
      const epoch = newEpoch(previous, this.#options.clock.now(), randomBytes(8));
      const documents = [...this.list.changes()].filter(({ document }) => document !== null);
      const before = this.#journal;
      this.#isBetween = true;
      this.#journal = await ChangeJournal.begin(this.#options, epoch, documents);
      this.#isBetween = false;
      await before.close().catch((error: unknown) => {
        const { logger, namespace } = this.#options;
        logger.warn({ code: 'journal-not-closed', namespace, error }, 'the journal of the epoch before was not closed');
      });
      return epoch;
    });
  }

  /** Forgets removals from before that time: who is further back than these has to compare. Gives how many. */
  forgetRemovals(before: EpochMs): Promise<number> {
    return this.#next(async () => (this.#isBetween ? 0 : this.#journal.forgetRemovals(before)));
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#next(async () => {
      await this.#compacting;
      await this.#journal.close();
    });
  }

  /** After `close`, where the store of contents stays open: others may have what only this needed be deleted. */
  async letGo(): Promise<void> {
    let count = 0;
    for (const { document } of this.list.changes()) {
      this.#release(document);
      if (++count % heldAtOnce === 0) await setImmediate();
    }
  }

  #next<R>(work: () => Promise<R>): Promise<R> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }

  async #holdAll(): Promise<void> {
    let count = 0;
    for (const { document } of this.list.changes()) {
      this.#hold(document);
      if (++count % heldAtOnce === 0) await setImmediate();
    }
  }

  /** A blob that the store has lost is held as soon as it is there again. */
  #hold(document: string | null): void {
    if (document !== null) for (const digest of digestsIn(document)) this.#options.blobs.retain(digest);
  }

  #release(document: string | null): void {
    if (document !== null) for (const digest of digestsIn(document)) this.#options.blobs.release(digest);
  }

  #compact(): void {
    const { logger, namespace } = this.#options;
    this.#compacting = this.#journal.compact().catch((error: unknown) => {
      logger.warn({ code: 'journal-compaction', namespace, error }, 'the journal of changes could not be made smaller');
    });
  }
}

/** So many documents are held in one turn: some 2 ms of work. */
const heldAtOnce = 500;
