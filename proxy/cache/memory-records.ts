import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import type { CacheKey } from './cache-key.js';
import { groupName, groupNames } from './group-index.js';
import { InvalidationMarks, type InvalidationOrder } from './invalidation-marks.js';
import type { MemoryClasses } from './memory-classes.js';
import { footprintOf, type MemoryEntries } from './memory-entries.js';
import { MemoryResponse, type MemoryContent } from './memory-response.js';
import type { MemoryRoom } from './memory-room.js';
import { ownMetadata } from './own-metadata.js';
import type { PurgeMode, PurgeSelector } from './purge.js';
import { PurgeWalk } from './purge-walk.js';
import { endedOnArrival, PurgesUnderWay } from './purges-under-way.js';
import type { Generation } from './response-store.js';
import { sameSelecting } from './same-selecting.js';
import type { ResponseMetadata, StoredResponse } from './stored-response.js';

export interface RecordsParts {
  readonly entries: MemoryEntries;
  readonly classes: MemoryClasses;
  readonly room: MemoryRoom;
  readonly order: InvalidationOrder;
}

export interface RecordBounds {
  /** Bytes of body that one response may have. */
  readonly maxDocument: Bytes;
  /** What it may count in all. */
  readonly maxFootprint: Bytes;
  /** Most responses under one key. */
  readonly variants: number;
}

export const recordBounds = (of: {
  readonly limit: Bytes;
  readonly maxDocument: Bytes;
  readonly variants: number;
}): RecordBounds => ({
  maxDocument: of.maxDocument,
  maxFootprint: bytes(Math.floor(of.limit / 2)),
  variants: Math.max(1, of.variants),
});

/** For the marks of invalidations, so that what is under way when they happen is known to be out of date. */
const marksLimit = bytes(1024 * 1024);
const nothing: readonly MemoryResponse[] = Object.freeze([]);

/** What is stored in memory under keys, and how it changes: with what was invalidated and purged meanwhile in mind. */
export class MemoryRecords {
  readonly #entries: MemoryEntries;
  readonly #classes: MemoryClasses;
  readonly #room: MemoryRoom;
  readonly #marks: InvalidationMarks;
  readonly #walk: PurgeWalk;
  readonly #purges: PurgesUnderWay<number>;
  /** For what is stored from now on. */
  bounds: RecordBounds;
  #uses = 0;
  #ids = 0;
  #closed = false;

  constructor({ entries, classes, room, order }: RecordsParts, bounds: RecordBounds) {
    this.#entries = entries;
    this.#classes = classes;
    this.#room = room;
    this.#marks = new InvalidationMarks(marksLimit, order);
    this.#walk = new PurgeWalk(entries.keys, entries.groups);
    this.#purges = new PurgesUnderWay(order, (selector, visit) => this.#walk.over(selector, visit));
    this.bounds = bounds;
  }

  /** The current version of a response; null if it is not stored. */
  find(stored: StoredResponse): MemoryResponse | null {
    return this.#responsesOf(stored.key).find(({ id }) => id === stored.id) ?? null;
  }

  /** A response is being read. */
  opened(response: MemoryResponse): void {
    response.used(++this.#uses);
  }

  /** Makes a response visible, `instead` of an older version if there is one. */
  store(
    metadata: ResponseMetadata,
    generation: Generation,
    content: Omit<MemoryContent, 'id' | 'generation' | 'invalidated'>,
    instead: MemoryResponse | null,
  ): MemoryResponse | null {
    const { key } = metadata;
    const { body, length, trailers } = content;
    const purged = this.#purges.after(generation, key, metadata.groups);
    if (purged === 'hard') return null;
    const invalidated =
      this.#marks.isAfter(key, generation) ||
      groupNames(metadata).some((group) => this.#marks.isAfter(group, generation));
    const id = `m${++this.#ids}`;
    const own = ownMetadata(purged === null ? metadata : endedOnArrival(metadata), instead);
    const response = new MemoryResponse(own, { id, generation, body, length, trailers, invalidated });
    if (this.#closed || response.footprint > this.bounds.maxFootprint) return null;
    const others = this.#responsesOf(key).filter((other) => other !== instead);
    const twin = others.find(({ selecting }) => sameSelecting(selecting, response.selecting));
    if (twin?.complete === true && !response.complete) return null;
    const besides = others.filter((other) => other !== twin);
    const kept = this.#fit(response, besides, instead === null);
    if (kept === null) return null;
    response.used(++this.#uses);
    this.#entries.set(key, kept.length === 0 ? [response] : [response, ...kept], false);
    return response;
  }

  freshen(stored: StoredResponse, metadata: ResponseMetadata, generation: Generation): MemoryResponse | null {
    const current = this.find(stored);
    if (current === null || this.#purges.isForgetting(current)) return null;
    const { body, length, trailers } = current;
    return this.store(metadata, generation, { body, length, trailers }, current);
  }

  /** Gives how many that was. */
  forgetWhere(key: CacheKey, concerns: (response: MemoryResponse) => boolean): number {
    const responses = this.#responsesOf(key);
    const due = responses.filter(concerns);
    if (due.length === 0) return 0;
    const kept = responses.filter((one) => !due.includes(one));
    this.#entries.set(key, kept);
    return due.length;
  }

  invalidate(key: CacheKey): void {
    this.#marks.add(key);
    this.#replaceWhere(key, ({ invalidated }) => !invalidated, asInvalidated);
  }

  invalidateGroup(origin: string, group: string): void {
    const name = groupName(origin, group);
    this.#marks.add(name);
    for (const key of this.#entries.groups.keysOf(name)) {
      this.#replaceWhere(key, (one) => !one.invalidated && one.groups.includes(group), asInvalidated);
    }
  }

  purge(selector: PurgeSelector, mode: PurgeMode, now: EpochMs): Promise<number> {
    return this.#purges.purge(selector, mode, (key, isDue) =>
      mode === 'hard' ? this.forgetWhere(key, isDue) : this.#replaceWhere(key, isDue, (one) => one.asEnded(now)),
    );
  }

  isInvalidatedAfter(key: CacheKey, generation: Generation): boolean {
    return this.#marks.isAfter(key, generation) || this.#purges.after(generation, key, []) !== null;
  }

  /** Whether a response that somebody looked up was purged hard, or may have been: then nothing is added to its bytes. */
  isForgotten(response: MemoryResponse): boolean {
    const isStored = this.find(response) !== null;
    return isStored ? this.#purges.isForgetting(response) : this.#purges.mayHaveForgotten(response);
  }

  /** Lets go of responses under a key that are too long, and of those beyond the cap, unless they are pinned. */
  trim(key: CacheKey): void {
    const entry = this.#entries.peek(key);
    if (entry === undefined || entry.holding.retention.pinned) return;
    const { responses, holding } = entry;
    let kept: readonly MemoryResponse[] = responses.filter(({ body }) => body.size <= this.bounds.maxDocument);
    while (kept.length > this.bounds.variants) kept = withoutLeastUsed(kept);
    if (kept.length === responses.length) return;
    this.#entries.countEvicted(responses.length - kept.length, holding);
    this.#entries.set(key, kept);
  }
  close(): void {
    this.#closed = true;
    this.#entries.clear();
  }

  #responsesOf(key: CacheKey): readonly MemoryResponse[] {
    return this.#entries.peek(key)?.responses ?? nothing;
  }

  /** Makes room for a response; gives those of the others under its key that are to stay. Null if there is no room. */
  #fit(response: MemoryResponse, others: readonly MemoryResponse[], isNew: boolean): readonly MemoryResponse[] | null {
    // now its key is the last one to be evicted
    const except = this.#entries.use(response.key);
    const of = this.#classes.of(response.key, false);
    const before = except?.size ?? 0;
    let kept = others;
    while (kept.length >= this.bounds.variants) kept = withoutLeastUsed(kept);
    for (;;) {
      const size = response.footprint + footprintOf(kept);
      const ofClass = except?.holding === of ? size - before : size;
      if (this.#room.make({ of, all: size - before, ofClass, isNew, except })) break;
      if (kept.length === 0 || of.retention.pinned) return null;
      kept = withoutLeastUsed(kept);
    }
    this.#entries.countEvicted(others.length - kept.length, of);
    return kept;
  }

  /** In place: being invalidated or purged is no use, and changes no size. Gives how many it was. */
  #replaceWhere(
    key: CacheKey,
    concerns: (response: MemoryResponse) => boolean,
    replacement: (response: MemoryResponse) => MemoryResponse,
  ): number {
    const entry = this.#entries.peek(key);
    const due = entry?.responses.filter(concerns) ?? nothing;
    if (entry === undefined || due.length === 0) return 0;
    entry.responses = Object.freeze(entry.responses.map((one) => (due.includes(one) ? replacement(one) : one)));
    return due.length;
  }
}

const asInvalidated = (response: MemoryResponse): MemoryResponse => response.asInvalidated();

function withoutLeastUsed(responses: readonly MemoryResponse[]): readonly MemoryResponse[] {
  let least = responses[0];
  for (const response of responses) if (response.lastUse < (least?.lastUse ?? 0)) least = response;
  return responses.filter((response) => response !== least);
}
