import { bytes, type Bytes } from '../../../config/units.js';
import type { KeyValueChange } from '../../base/key-value.js';
import { countKey } from './index-keys.js';

/** What the records in a list of uses come to. */
export interface ListCount {
  readonly responses: number;
  readonly bytes: Bytes;
}

/** How much more there is in a list. */
export interface ListChange {
  readonly list: string;
  readonly responses: number;
  readonly growth: Bytes;
}

/**
 * What is stored in each list but the ordinary one, which has the rest of the totals. The counts stand in the index, changed
 * in the same batches as the records.
 */
export class ListCounts {
  #counts = new Map<string, ListCount>();

  of(list: string): ListCount {
    return this.#counts.get(list) ?? nothing;
  }

  /** How many lists have anything. */
  get size(): number {
    return this.#counts.size;
  }

  entries(): Iterable<readonly [list: string, count: ListCount]> {
    return this.#counts;
  }

  /** What a batch has to have for these changes; `keep` is to be called when it is written. */
  after(changes: Iterable<ListChange>): { readonly changes: readonly KeyValueChange[]; readonly keep: () => void } {
    const after = new Map<string, ListCount>();
    for (const { list, responses, growth } of changes) {
      if (list === '') continue;
      const before = after.get(list) ?? this.of(list);
      after.set(list, { responses: before.responses + responses, bytes: bytes(before.bytes + growth) });
    }
    return { changes: [...after].map(countChange), keep: () => this.#take(after) };
  }

  /** What is true after all. */
  correct(counts: ReadonlyMap<string, ListCount>): void {
    this.#counts = new Map();
    this.#take(counts);
  }

  #take(counts: ReadonlyMap<string, ListCount>): void {
    for (const [list, count] of counts) {
      if (count.responses === 0) this.#counts.delete(list);
      else this.#counts.set(list, count);
    }
  }
}

const nothing: ListCount = Object.freeze({ responses: 0, bytes: bytes(0) });

/** What the index is to have of a list. */
export const countChange = ([list, { responses, bytes: size }]: readonly [string, ListCount]): KeyValueChange =>
  responses === 0
    ? { type: 'del', key: countKey(list) }
    : { type: 'put', key: countKey(list), value: Buffer.from(`${responses} ${size}`) };

/** What `ListCounts` put into the index; null if it is not that. */
export function decodeCount(value: Buffer): ListCount | null {
  const match = /^(\d{1,15}) (\d{1,15})$/.exec(value.toString('latin1'));
  return match === null ? null : { responses: Number(match[1]), bytes: bytes(Number(match[2])) };
}
