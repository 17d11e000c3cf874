import type { KeyValue, KeyRange, KeyValueChange } from '../../base/key-value.js';
import type { CacheKey } from '../cache-key.js';
import { IndexJournal, type Totals } from './index-journal.js';
import type { LastSequence } from './index-loss.js';
import { contentKey, floorKey, recordKey } from './index-keys.js';
import { decodeRecord, type KeyRecord } from './key-record.js';

/** The records of a store. Every method that asks the disk rejects with a KeyValueError. */
export class DiskIndex {
  readonly run: string;
  readonly journal: IndexJournal;
  #records: KeyValue;
  #floor: number;
  #last: LastSequence | null = null;

  constructor(records: KeyValue, run: string, totals: Totals, floor: number) {
    this.#records = records;
    this.run = run;
    this.#floor = floor;
    this.journal = new IndexJournal((changes, sequence) => this.#write(changes, sequence), totals);
  }

  /** What is stored under a key. A record that is damaged is none. */
  async record(key: CacheKey): Promise<KeyRecord | null> {
    const value = await this.#records.get(recordKey(key));
    return value === undefined ? null : this.decode(key, value);
  }

  decode(key: CacheKey, value: Buffer): KeyRecord | null {
    return decodeRecord(key, value, { run: this.run, floor: this.#floor });
  }

  content(id: string): Promise<Buffer | undefined> {
    return this.#records.get(contentKey(id));
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
    await this.journal.write({ changes: [{ type: 'put', key: floorKey, value: Buffer.from(String(floor)) }] });
    this.#floor = floor;
  }

  compact(): Promise<void> {
    return this.#records.compact();
  }

  /** Goes on with the same records, opened again. */
  reopened(records: KeyValue): void {
    this.#records = records;
  }

  /** Notes beside the index how far it goes. */
  noteIn(last: LastSequence): void {
    this.#last = last;
  }

  async close(): Promise<void> {
    await this.#records.close();
  }

  /** Closes what it notes in. */
  async closeNote(): Promise<void> {
    const last = this.#last;
    this.#last = null;
    await last?.close();
  }

  async #write(changes: readonly KeyValueChange[], sequence: number): Promise<void> {
    await this.change(changes);
    // without it nobody will notice if this is lost later; it is not lost now
    await this.#last?.write(sequence).catch(() => undefined);
  }
}
