import type { Bytes, EpochMs } from '../config/units.js';
import { ChangeList, type Change, type Edit } from './change-list.js';
import { CheckedLog, type LogOptions, type LogState } from './checked-log.js';
import {
  decodeChanges,
  decodeHeader,
  encodeChanges,
  encodeHeader,
  UnreadableJournal,
  type JournalHeader,
} from './journal-format.js';

export interface JournalOptions {
  readonly path: string;
  /** The namespace whose changes these are; a journal of another one is not taken for its own. */
  readonly namespace: string;
}

/**
 * What there was. `torn`: something at the end that nobody had been told of, and that is gone. `damaged`, or none at all:
 * what was told to others is not known any more, so that the caller begins a new epoch.
 */
export type JournalState = LogState;

/** A journal that is not smaller than this is not worth making smaller. */
const leastCompacted = 1024 * 1024;

/**
 * The change list of a namespace, on disk; documents are lines of JSON. A change is in the list, and in the hands of the caller, only when the disk has it.
 */
export class ChangeJournal {
  readonly epoch: string;
  readonly list: ChangeList<string>;
  readonly #options: JournalOptions;
  readonly #log: CheckedLog;
  #compactedSize: number;
  #recording: Promise<unknown> = Promise.resolve();

  private constructor(options: JournalOptions, log: CheckedLog, epoch: string, list: ChangeList<string>) {
    this.#options = options;
    this.#log = log;
    this.epoch = epoch;
    this.list = list;
    this.#compactedSize = leastCompacted;
  }

  /** @throws Error what the system says */
  static async open(
    options: JournalOptions,
  ): Promise<{ readonly journal: ChangeJournal | null; readonly found: JournalState }> {
    const reader = new JournalReader(options);
    const { log, found } = await CheckedLog.open(logOptions(options), (payload) => reader.read(payload));
    if (log === null) return { journal: null, found };
    const result = reader.result();
    if (typeof result !== 'string') {
      return { journal: new ChangeJournal(options, log, result.epoch, result.list), found };
    }
    await log.close();
    return { journal: null, found: { state: 'damaged', reason: `${options.path}: ${result}` } };
  }

  /**
   * Begins an epoch, in place of what may be there, in one step.
   * @param documents published with it; they get the first numbers, in this order
   */
  static async begin(
    options: JournalOptions,
    epoch: string,
    documents: readonly Pick<Change<string>, 'path' | 'at' | 'document'>[] = [],
  ): Promise<ChangeJournal> {
    const changes = documents.map((one, index) => ({ ...one, seq: index + 1, together: index + 1 }));
    const list = new ChangeList({ last: changes.length, floor: 0, changes });
    const log = await CheckedLog.begin(logOptions(options), wholeJournal(options, epoch, list));
    return new ChangeJournal(options, log, epoch, list);
  }

  get size(): Bytes {
    return this.#log.size;
  }

  /** More than half of the journal is about changes that others have superseded. */
  get isWorthCompacting(): boolean {
    return this.#log.size > 2 * this.#compactedSize;
  }

  /**
   * Numbers edits, all of different paths. Fulfilled when they are durable and in the list; when it rejects neither is so.
   * @param isSet they are visible together or not at all
   * @param onRecorded called in the same turn in which the list gets them
   */
  record(
    edits: readonly Edit<string>[],
    at: EpochMs,
    isSet: boolean,
    onRecorded: (changes: readonly Change<string>[]) => void = () => undefined,
  ): Promise<readonly Change<string>[]> {
    return this.#next(async () => {
      if (edits.length === 0) return [];
      const changes = this.list.numbered(edits, at, isSet);
      await this.#log.append([...encodeChanges(changes)]);
      this.list.apply(changes);
      onRecorded(changes);
      return changes;
    });
  }

  /** Forgets removals from before that time, here and on disk. Gives how many. */
  async forgetRemovals(before: EpochMs): Promise<number> {
    const count = await this.#next(() => Promise.resolve(this.list.forgetRemovals(before)));
    if (count > 0) await this.compact();
    return count;
  }

  /** Writes what is left of the list in the place of all that led to it. */
  compact(): Promise<void> {
    return this.#next(async () => {
      await this.#log.rewrite(wholeJournal(this.#options, this.epoch, this.list));
      this.#compactedSize = Math.max(leastCompacted, this.#log.size);
    });
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#next(() => this.#log.close());
  }

  /** One after the other: a number depends on the one before. */
  #next<R>(work: () => Promise<R>): Promise<R> {
    const done = this.#recording.then(work);
    this.#recording = done.catch(() => undefined);
    return done;
  }
}

function* wholeJournal({ namespace }: JournalOptions, epoch: string, list: ChangeList<string>): Generator<Buffer> {
  const { last, floor } = list;
  yield encodeHeader({ namespace, epoch, last, floor });
  yield* encodeChanges(list.changes());
}

class JournalReader {
  readonly #options: JournalOptions;
  readonly #changes: Change<string>[] = [];
  #header: JournalHeader | null = null;
  #fault: string | null = null;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  read(payload: Buffer): void {
    if (this.#fault !== null) return;
    try {
      if (this.#header === null) this.#header = decodeHeader(payload);
      else for (const change of decodeChanges(payload)) this.#changes.push(change);
    } catch (error) {
      if (!(error instanceof UnreadableJournal)) throw error;
      this.#fault = error.message;
    }
  }

  /** What it says, or why that cannot be known. */
  result(): { readonly epoch: string; readonly list: ChangeList<string> } | string {
    if (this.#fault !== null) return this.#fault;
    if (this.#header === null) return 'it has no beginning';
    const { namespace, epoch, last, floor } = this.#header;
    if (namespace !== this.#options.namespace) return `it is that of ${namespace}`;
    const end = Math.max(last, this.#changes.at(-1)?.seq ?? 0);
    try {
      return { epoch, list: new ChangeList({ last: end, floor, changes: this.#changes }) };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return error.message;
    }
  }
}

const logOptions = ({ path }: { readonly path: string }): LogOptions => ({ path, kind: 'changes 1', durable: true });
