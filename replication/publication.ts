import { randomBytes } from 'node:crypto';
import type { Clock } from '../proxy/base/clock.js';
import type { Logger } from '../proxy/base/logger.js';
import type { Namespace } from '../wlis/namespace.js';
import type { Digest } from '../wlis/trust/digest.js';
import { newEpoch, type Epoch } from '../wlis/trust/epoch.js';
import type { BlobStore } from './blob-store.js';
import type { Change, ChangeList, Edit } from './change-list.js';
import { ChangeJournal, type JournalOptions } from './change-journal.js';

export interface PublicationOptions {
  readonly namespace: Namespace;
  /** Of the journal. */
  readonly path: string;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of changes in their order, once they are durable and in the list. */
  readonly onPublished: (changes: readonly Change<string>[]) => void;
}

/**
 * What a primary has published in a namespace. Order (rule 1 of the protocol): bytes durable, then the journal, then the list,
 * from which it is served, then whoever is told. Documents are texts as `documentText` makes them; the store keeps the bytes of
 * all of them.
 */
export class Publication {
  readonly #options: PublicationOptions;
  readonly #journal: ChangeJournal;
  #compacting: Promise<void> = Promise.resolve();

  private constructor(options: PublicationOptions, journal: ChangeJournal) {
    this.#options = options;
    this.#journal = journal;
    for (const { document } of journal.list.changes()) this.#hold(document);
  }

  /** Opens the journal, or begins a new epoch where there is none that can be believed. */
  static async open(options: PublicationOptions): Promise<Publication> {
    const journalOptions: JournalOptions = { path: options.path, namespace: options.namespace };
    const { journal, found } = await ChangeJournal.open(journalOptions);
    const { logger, clock, namespace } = options;
    if (found.state === 'torn') {
      const cut = { code: 'journal-torn', namespace, cut: found.cut };
      logger.warn(cut, 'the journal of changes ended within a change that nobody had been told of; it is cut off');
    }
    if (journal !== null) return new Publication(options, journal);
    const epoch = newEpoch(null, clock.now(), randomBytes(8));
    if (found.state === 'damaged') {
      const lost = { code: 'journal-lost', namespace, epoch, reason: found.reason };
      logger.error(lost, 'the journal of changes is damaged: a new epoch begins, replicas will compare');
    }
    return new Publication(options, await ChangeJournal.begin(journalOptions, epoch));
  }

  get epoch(): Epoch {
    return this.#journal.epoch as Epoch;
  }

  get list(): ChangeList<string> {
    return this.#journal.list;
  }

  /** Publishes edits, whose bytes have been put into the store. When it rejects nothing has been published. */
  async publish(edits: readonly Edit<string>[], isSet: boolean): Promise<readonly Change<string>[]> {
    const { blobs, clock, onPublished } = this.#options;
    await blobs.sync();
    for (const { document } of edits) this.#hold(document);
    const before = edits.map(({ path }) => this.list.latest(path)?.document ?? null);
    let changes: readonly Change<string>[];
    try {
      changes = await this.#journal.record(edits, clock.now(), isSet);
    } catch (error) {
      for (const { document } of edits) this.#release(document);
      throw error;
    }
    for (const document of before) this.#release(document);
    onPublished(changes);
    if (this.#journal.isWorthCompacting) this.#compact();
    return changes;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#compacting;
    await this.#journal.close();
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

/** Of contents and block lists. An empty content needs no bytes, but is a blob all the same. */
const digestsIn = (document: string): Digest[] =>
  [...document.matchAll(/"(?:digest|blocks)":"([0-9a-f]{64})"/g)].map(([, digest]) => digest as Digest);
