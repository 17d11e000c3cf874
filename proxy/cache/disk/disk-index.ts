import { bytes } from '../../../config/units.js';
import { KeyValueError, type KeyValue, type KeyRange, type KeyValueChange } from '../../base/key-value.js';
import type { CacheKey } from '../cache-key.js';
import { GroupMarks } from './group-marks.js';
import { IndexJournal, type Totals } from './index-journal.js';
import type { LastSequence } from './index-loss.js';
import { contentKey, floorKey, recordKey } from './index-keys.js';
import { decodeRecord, type KeyRecord, type RecordReading } from './key-record.js';
import type { PromptReads } from './prompt-reads.js';

/** What an index has beside its records. */
export interface IndexState {
  readonly totals: Totals;
  /** What is older is to be validated before its next use. */
  readonly floor: number;
  readonly marks: GroupMarks;
}

/**
 * The records of a store. Every method that asks the disk rejects with a KeyValueError, as all do while the index is not
 * open.
 */
export class DiskIndex {
  readonly run: string;
  readonly journal: IndexJournal;
  #records: KeyValue = notOpen;
  #reading: RecordReading & { readonly marks: GroupMarks };
  #last: LastSequence | null = null;
  #prompt: PromptReads | null = null;

  /** One that is not open. */
  constructor(run: string) {
    this.run = run;
    this.#reading = { run, floor: 0, marks: new GroupMarks() };
    this.journal = new IndexJournal((changes, sequence) => this.#write(changes, sequence), noTotals);
  }

  /** One of these records, which it closes. */
  static of(records: KeyValue, run: string, { totals, floor, marks }: IndexState): DiskIndex {
    const index = new DiskIndex(run);
    index.#records = records;
    index.#reading = { run, floor, marks };
    index.journal.correct(totals);
    return index;
  }

  /** What is stored under a key. A record that is damaged is none. */
  async record(key: CacheKey): Promise<KeyRecord | null> {
    const prompt = this.#prompt;
    if (prompt?.areOn() === true) return prompt.make(() => this.recordNow(key));
    const value = await this.#records.get(recordKey(key));
    return value === undefined ? null : this.decode(key, value);
  }

  /** The same at once. @throws KeyValueError */
  recordNow(key: CacheKey): KeyRecord | null {
    const value = this.#records.getNow(recordKey(key));
    return value === undefined ? null : this.decode(key, value);
  }

  /** From now on records are read at once where that is prompt. */
  readPromptly(prompt: PromptReads): void {
    this.#prompt = prompt;
  }

  decode(key: CacheKey, value: Buffer): KeyRecord | null {
    return decodeRecord(key, value, this.#reading);
  }

  /** Whether there is a record that is not what it should be. */
  async isDamaged(key: CacheKey): Promise<boolean> {
    const value = await this.#records.get(recordKey(key));
    return value !== undefined && this.decode(key, value) === null;
  }

  /** What the index has to say about the store itself. */
  noted(key: string): Promise<Buffer | undefined> {
    return this.#records.get(key);
  }

  content(id: string): Promise<Buffer | undefined> {
    return this.#records.get(contentKey(id));
  }

  /** The same at once. @throws KeyValueError */
  contentNow(id: string): Buffer | undefined {
    return this.#records.getNow(contentKey(id));
  }

  keys(range: KeyRange): AsyncIterable<string> {
    return this.#records.keys(range);
  }

  entries(range: KeyRange): AsyncIterable<readonly [key: string, value: Buffer]> {
    return this.#records.entries(range);
  }

  /** Past the journal: for what concerns no totals. */
  change(changes: readonly KeyValueChange[], options?: { readonly durable: boolean }): Promise<void> {
    return this.#records.change(changes, options);
  }

  /** All that is stored now is to be validated before its next use. */
  async distrustAll(): Promise<void> {
    const floor = this.journal.nextSequence() + 1;
    const changes = this.#reading.marks.clear();
    this.#reading = { ...this.#reading, floor };
    await this.journal.write({
      changes: [...changes, { type: 'put', key: floorKey, value: Buffer.from(String(floor)) }],
    });
  }

  /** What is in a group, by its `groupName`, is to be validated before its next use. */
  markGroup(name: string): Promise<void> {
    return this.journal.write({ changes: this.#reading.marks.add(name, this.journal.nextSequence()) });
  }

  compact(): Promise<void> {
    return this.#records.compact();
  }

  /** Goes on with what another one has, which is used no more. Nothing may be on its way in either. */
  takeOver(other: DiskIndex): void {
    this.#records = other.#records;
    this.#reading = other.#reading;
    this.#last = other.#last;
    this.journal.takeOver(other.journal);
    other.#records = notOpen;
    other.#last = null;
  }

  /** Notes beside the index how far it goes. */
  noteIn(last: LastSequence): void {
    this.#last = last;
  }

  /** Until `takeOver` it is not open. */
  async close(): Promise<void> {
    const [records, last] = [this.#records, this.#last];
    this.#records = notOpen;
    this.#last = null;
    await this.journal.settled();
    await last?.close().catch(() => undefined);
    await records.close();
  }

  async #write(changes: readonly KeyValueChange[], sequence: number): Promise<void> {
    const last = this.#last;
    await this.change(changes);
    // without it nobody will notice if this is lost later; it is not lost now
    await last?.write(sequence).catch(() => undefined);
  }
}

const noTotals: Totals = { responses: 0, bytes: bytes(0), files: bytes(0), partial: 0, sequence: 0 };

const notOpenError = (): KeyValueError => new KeyValueError('unwell', 'the index is not open');
const fail = (): Promise<never> => Promise.reject(notOpenError());

/** Stands for the records of an index that is not open. */
const notOpen: KeyValue = {
  get: fail,
  getNow: () => {
    throw notOpenError();
  },
  change: fail,
  compact: fail,
  keys: failing,
  entries: failing,
  close: () => Promise.resolve(),
};

// eslint-disable-next-line require-yield -- what would be iterated is not there
async function* failing(): AsyncGenerator<never> {
  await fail();
}
