import type { Bytes } from '../../../config/units.js';
import { bytes } from '../../../config/units.js';
import type { KeyValueChange } from '../../base/key-value.js';
import { totalsKey } from './index-keys.js';
import { ListCounts, type ListChange } from './list-counts.js';

/** What is known of a store without reading it. */
export interface Totals {
  readonly responses: number;
  readonly bytes: Bytes;
  /** Those of the bytes that are in files. */
  readonly files: Bytes;
  /** Those of the responses of which some bytes are missing; null until they were counted. */
  readonly partial: number | null;
  /** The last number given in the order of uses and versions. */
  readonly sequence: number;
}

/** Changes of the index that belong together, and what they do to the totals. */
export interface IndexChange {
  readonly changes: readonly KeyValueChange[];
  readonly responses?: number;
  readonly partial?: number;
  /** How much more there is. */
  readonly growth?: Bytes;
  readonly growthInFiles?: Bytes;
  readonly lists?: readonly ListChange[];
  /** Called in the moment in which the totals change. */
  readonly onWritten?: () => void;
}

interface Waiting {
  readonly change: IndexChange;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** @param sequence the last number in the order of uses and versions, of which these changes tell */
type Write = (changes: readonly KeyValueChange[], sequence: number) => Promise<void>;

/**
 * Writes changes of the index in the order in which they are asked for: what comes while a batch is on its way makes the
 * next one. The totals stand in every batch, so that they are right whenever the process ends.
 */
export class IndexJournal {
  readonly lists = new ListCounts();
  readonly #apply: Write;
  #totals: Totals;
  #sequence: number;
  #queue: Waiting[] = [];
  #writing: Promise<void> | null = null;

  constructor(apply: Write, totals: Totals) {
    this.#apply = apply;
    this.#totals = totals;
    this.#sequence = totals.sequence;
  }

  get totals(): Totals {
    return this.#totals;
  }

  /** What is true after all, counted anew. To be called when nothing is on its way. */
  correct(totals: Totals): void {
    this.#sequence = Math.max(this.#sequence, totals.sequence);
    this.#totals = { ...totals, sequence: this.#sequence };
  }

  /** Goes on where another one has stopped. Nothing may be on its way in either. */
  takeOver(other: IndexJournal): void {
    this.correct({ ...other.#totals, sequence: other.#sequence });
    this.lists.correct(new Map(other.lists.entries()));
  }

  nextSequence(): number {
    return ++this.#sequence;
  }

  /** Rejects if it could not be written. */
  write(change: IndexChange): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ change, resolve, reject });
      this.#writing ??= this.#drain();
    });
  }

  /** Whether nothing is on its way. */
  get isIdle(): boolean {
    return this.#writing === null;
  }

  /** Fulfilled when what was asked for until now is written, or has failed. */
  async settled(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  async #drain(): Promise<void> {
    // whoever asks in this turn goes with the first batch
    await Promise.resolve();
    while (this.#queue.length > 0) await this.#writeBatch(this.#takeBatch());
    this.#writing = null;
  }

  #takeBatch(): Waiting[] {
    let size = 0;
    let count = 0;
    for (const { change } of this.#queue) {
      if (size > largestBatch) break;
      for (const one of change.changes) size += one.key.length + (one.type === 'put' ? one.value.length : 0);
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    // a batch that is lost is to be missed, whatever is in it
    this.#sequence++;
    const totals = this.#after(batch);
    const lists = this.lists.after(batch.flatMap(({ change }) => change.lists ?? []));
    const changes = [...batch.flatMap(({ change }) => change.changes), ...lists.changes];
    try {
      await this.#apply([...changes, { type: 'put', key: totalsKey, value: encodeTotals(totals) }], totals.sequence);
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    this.#totals = totals;
    lists.keep();
    for (const { change, resolve } of batch) {
      change.onWritten?.();
      resolve();
    }
  }

  #after(batch: readonly Waiting[]): Totals {
    let { responses, partial, bytes: size, files } = this.#totals as Counts;
    for (const { change } of batch) {
      responses += change.responses ?? 0;
      if (partial !== null) partial += change.partial ?? 0;
      size += change.growth ?? 0;
      files += change.growthInFiles ?? 0;
    }
    return { responses, partial, bytes: bytes(size), files: bytes(files), sequence: this.#sequence };
  }
}

interface Counts {
  responses: number;
  partial: number | null;
  bytes: number;
  files: number;
}

const largestBatch = 1024 * 1024;

export const encodeTotals = ({ responses, bytes: size, files, sequence, partial }: Totals): Buffer =>
  Buffer.from(JSON.stringify([responses, size, files, sequence, partial]));

/** Null if it is not what `encodeTotals` gives. */
export function decodeTotals(value: Buffer): Totals | null {
  try {
    const [responses, size, files, sequence, partial] = JSON.parse(value.toString()) as unknown[];
    if (!isCount(responses) || !isCount(size) || !isCount(files) || !isCount(sequence)) return null;
    return { responses, bytes: bytes(size), files: bytes(files), sequence, partial: isCount(partial) ? partial : null };
  } catch {
    return null;
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
