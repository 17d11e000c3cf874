import type { Bytes } from '../../config/units.js';
import type { Epoch } from '../trust/epoch.js';
import { mostLines, recordLine, type FedRecord, type FeedCursor, type FeedPage } from './records-format.js';

/**
 * What a node has to tell other directories, in the order in which it came to know it: of each thing only the newest, so that
 * whoever reads on from a cursor gets what is different since then and nothing twice.
 */
export class RecordsFeed {
  readonly epoch: Epoch;
  /** By kind and subject, in the order of their numbers. */
  readonly #lines = new Map<string, { readonly seq: number; readonly text: string; readonly line: string }>();
  #seq = 0;

  /** @param epoch of this life of the node: what is read in another one is read from its beginning */
  constructor(epoch: Epoch) {
    this.epoch = epoch;
  }

  get size(): number {
    return this.#lines.size;
  }

  get seq(): number {
    return this.#seq;
  }

  /** What is fed of something; undefined if nothing is. */
  get(kind: FedRecord['kind'], about: string): string | undefined {
    return this.#lines.get(keyOf(kind, about))?.text;
  }

  /** @returns whether it is something else than before */
  put(record: FedRecord): boolean {
    const key = keyOf(record.kind, record.about);
    if (this.#lines.get(key)?.text === record.text) return false;
    this.#lines.delete(key);
    this.#lines.set(key, { seq: ++this.#seq, text: record.text, line: recordLine(record) });
    return true;
  }

  /** As if it had come in only now: it is to be read behind something that it needs. */
  again(kind: FedRecord['kind'], about: string): void {
    const key = keyOf(kind, about);
    const known = this.#lines.get(key);
    if (known === undefined) return;
    this.#lines.delete(key);
    this.#lines.set(key, { ...known, seq: ++this.#seq });
  }

  remove(kind: FedRecord['kind'], about: string): void {
    this.#lines.delete(keyOf(kind, about));
  }

  /** @param cursor null to begin with; one of another epoch counts as none @param most after so much the page ends */
  since(cursor: FeedCursor | null, most: Bytes): FeedPage {
    const from = cursor?.epoch === this.epoch && cursor.seq <= this.#seq ? cursor.seq : 0;
    const lines: string[] = [];
    let [size, at] = [0, from];
    for (const { seq, line } of this.#lines.values()) {
      if (seq <= from) continue;
      if (size >= most || lines.length >= mostLines)
        return { lines, cursor: { epoch: this.epoch, seq: at }, more: true };
      lines.push(line);
      size += line.length;
      at = seq;
    }
    return { lines, cursor: { epoch: this.epoch, seq: this.#seq }, more: false };
  }
}

const keyOf = (kind: FedRecord['kind'], about: string): string => `${kind} ${about}`;
