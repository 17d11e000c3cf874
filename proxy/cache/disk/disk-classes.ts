import { createHash } from 'node:crypto';
import { bytes, type Bytes } from '../../../config/units.js';
import type { CacheKey } from '../cache-key.js';
import { ordinary, type ClassUsage, type Retention, type RetentionClass } from '../retention.js';
import type { IndexJournal } from './index-journal.js';
import type { ListCount } from './list-counts.js';

/** What a store on disk keeps in one way, beside what the index counts. */
export interface DiskHolding {
  readonly list: string;
  /** As it is at the moment. */
  readonly retention: RetentionClass;
  /** By writers. */
  readonly reserved: number;
  readonly evicted: number;
  readonly refused: number;
}

type Counted = { -readonly [K in keyof DiskHolding]: DiskHolding[K] };

/**
 * The classes of retention of a store on disk. Each has a list of uses of its own in the index, so that what is pinned
 * stands in the way of no eviction, and what goes first of a class is known at once.
 */
export class DiskClasses {
  readonly #journal: IndexJournal;
  #retention!: Retention;
  #byName = new Map<string, Counted>();
  #byList = new Map<string, Counted>();
  #pinned: readonly Counted[] = [];

  constructor(journal: IndexJournal, retention: Retention) {
    this.#journal = journal;
    this.retain(retention);
  }

  /** From now on this says what class a key is in. */
  retain(retention: Retention): void {
    const before = this.#byName;
    this.#retention = retention;
    this.#byName = new Map();
    this.#byList = new Map();
    for (const one of [ordinary, ...retention.classes]) {
      const holding = before.get(one.name) ?? newHolding(one);
      holding.retention = one;
      this.#byName.set(one.name, holding);
      this.#byList.set(holding.list, holding);
    }
    this.#pinned = [...this.#byName.values()].filter((one) => one.retention.pinned);
  }

  get identity(): string {
    return this.#retention.identity;
  }

  /** Whether everything is ordinary, and was before. */
  get isPlain(): boolean {
    return this.#byName.size === 1 && this.#journal.lists.size === 0;
  }

  of(key: CacheKey): DiskHolding {
    const { name } = this.#retention.classOf(key);
    return this.#byName.get(name) ?? (this.#byName.get('') as Counted);
  }

  listOf(key: CacheKey): string {
    return this.of(key).list;
  }

  /** The lists that may be evicted from, those of classes included that are there no longer. */
  evictable(): string[] {
    const lists = [...this.#journal.lists.entries()].map(([list]) => list);
    return ['', ...lists.filter((list) => this.#byList.get(list)?.retention.pinned !== true)];
  }

  all(): Iterable<DiskHolding> {
    return this.#byName.values();
  }

  /** Of the ordinary one: with those of classes that are there no longer. */
  countOf(list: string): ListCount {
    const { lists, totals } = this.#journal;
    if (list !== '') return lists.of(list);
    let { responses, bytes: size } = totals as { responses: number; bytes: number };
    for (const [name, count] of lists.entries()) {
      if (!this.#byList.has(name)) continue;
      responses -= count.responses;
      size -= count.bytes;
    }
    return { responses, bytes: bytes(size) };
  }

  /** What is stored of a class, and what is being written. */
  takenBy({ list, reserved }: DiskHolding): Bytes {
    return bytes(this.countOf(list).bytes + reserved);
  }

  /** The same for all that is pinned. */
  pinned(): Bytes {
    return bytes(this.#pinned.reduce((sum, one) => sum + this.takenBy(one), 0));
  }

  /** Of what is being written, what is pinned. */
  pinnedReserved(): Bytes {
    return bytes(this.#pinned.reduce((sum, { reserved }) => sum + reserved, 0));
  }

  reserve(size: Bytes, of: DiskHolding): void {
    (of as Counted).reserved += size;
  }

  release(size: Bytes, of: DiskHolding): void {
    (of as Counted).reserved -= size;
  }

  countRefused(of: DiskHolding): void {
    (of as Counted).refused++;
  }

  countEvicted(list: string, responses: number): void {
    const holding = this.#byList.get(list);
    if (holding !== undefined) holding.evicted += responses;
  }

  usage(): ClassUsage[] {
    return [...this.#byName.values()].map(({ retention, list, evicted, refused }) => ({
      ...retention,
      ...this.countOf(list),
      evicted,
      refused,
    }));
  }
}

const newHolding = (retention: RetentionClass): Counted => ({
  retention,
  list: listNamed(retention.name),
  reserved: 0,
  evicted: 0,
  refused: 0,
});

/** Short, and of characters that a key of the index may have. */
const listNamed = (name: string): string =>
  name === '' ? '' : createHash('sha256').update(name).digest('hex').slice(0, 12);
