import { crc32 } from 'node:zlib';
import { bytes, type Bytes } from '../../../config/units.js';
import type { KeyValueChange } from '../../base/key-value.js';
import type { CacheKey } from '../cache-key.js';
import { groupNames } from '../group-index.js';
import { groupsKey, markKey, nameOfMark } from './index-keys.js';

interface InGroups {
  readonly key: CacheKey;
  readonly groups: readonly string[];
}

/** For all names together. */
const mostBytes = bytes(1024 * 1024);

/**
 * When cache groups were invalidated, in the order of versions: what was stored or freshened before that is to be validated
 * before its next use, and nobody needs to go and find it. The marks stand in the index, as many as fit; when the oldest is
 * dropped the floor rises to it, and whatever is in any group and older than the floor counts as invalidated: too much is
 * validated then, never too little. With them stands a sum of all of them, so that none is lost without being missed.
 */
export class GroupMarks {
  readonly #limit: Bytes;
  /** Name to number; the oldest first. */
  readonly #marks = new Map<string, number>();
  #bytes = 0;
  #floor = 0;
  #sum = 0;

  constructor(limit: Bytes = mostBytes) {
    this.#limit = limit;
  }

  /** What the index has; null if some of it is missing. */
  static load(marks: readonly (readonly [key: string, value: Buffer])[], noted: Buffer | undefined): GroupMarks | null {
    const loaded = new GroupMarks();
    const [floor, sum] = noted === undefined ? [0, 0] : parse(noted);
    const all = marks.map(([key, value]) => [nameOfMark(key), Number(value.toString())] as const);
    for (const [name, sequence] of all.sort(([, one], [, other]) => one - other)) loaded.#add(name, sequence);
    loaded.#floor = floor;
    return loaded.#sum === sum ? loaded : null;
  }

  /** Whether a group of a response was, or may have been, invalidated after this number was given. */
  isAfter(response: InGroups, sequence: number): boolean {
    if (response.groups.length === 0) return false;
    return sequence < this.#floor || groupNames(response).some((name) => (this.#marks.get(name) ?? 0) > sequence);
  }

  /** A group was invalidated. Gives the changes of the index that make it last. */
  add(name: string, sequence: number): KeyValueChange[] {
    this.#add(name, sequence);
    const dropped: KeyValueChange[] = [];
    for (const [oldest, at] of this.#marks) {
      if (this.#bytes <= this.#limit) break;
      this.#remove(oldest);
      this.#floor = at;
      dropped.push({ type: 'del', key: markKey(oldest) });
    }
    return [...dropped, { type: 'put', key: markKey(name), value: Buffer.from(String(sequence)) }, this.#note()];
  }

  /** Everything counts as invalidated for another reason. */
  clear(): KeyValueChange[] {
    const changes = [...this.#marks.keys()].map((name) => ({ type: 'del', key: markKey(name) }) as const);
    for (const name of [...this.#marks.keys()]) this.#remove(name);
    return [...changes, this.#note()];
  }

  #add(name: string, sequence: number): void {
    this.#remove(name);
    this.#marks.set(name, sequence);
    this.#bytes += cost(name);
    this.#sum ^= sumOf(name, sequence);
  }

  #remove(name: string): void {
    const sequence = this.#marks.get(name);
    if (sequence === undefined) return;
    this.#marks.delete(name);
    this.#bytes -= cost(name);
    this.#sum ^= sumOf(name, sequence);
  }

  #note(): KeyValueChange {
    return { type: 'put', key: groupsKey, value: Buffer.from(JSON.stringify([this.#floor, this.#sum])) };
  }
}

const sumOf = (name: string, sequence: number): number => crc32(`${sequence} ${name}`) | 0;

function parse(noted: Buffer): readonly [floor: number, sum: number] {
  try {
    const [floor, sum] = JSON.parse(noted.toString()) as [number, number];
    return Number.isSafeInteger(floor) ? [floor, sum] : [0, NaN];
  } catch {
    return [0, NaN];
  }
}

/** A map's slot and the header of a string take about a hundred bytes. */
const cost = (name: string): number => name.length + 100;
