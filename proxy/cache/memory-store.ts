import { LRUCache } from 'lru-cache';
import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { BufferedBody, type Body } from '../http/body.js';
import { Fields } from '../http/fields.js';
import type { CacheKey } from './cache-key.js';
import { GroupIndex, groupName, groupNames } from './group-index.js';
import { InvalidationMarks, InvalidationOrder } from './invalidation-marks.js';
import { headFootprint } from './memory-footprint.js';
import { MemoryResponse, type MemoryContent } from './memory-response.js';
import { MemoryWriter } from './memory-writer.js';
import { ownMetadata } from './own-metadata.js';
import type { PurgeMode, PurgeSelector } from './purge.js';
import { PurgeWalk } from './purge-walk.js';
import { endedOnArrival, PurgesUnderWay } from './purges-under-way.js';
import type { Generation, ResponseDraft, ResponseStore, ResponseWriter, StoreUsage } from './response-store.js';
import { SparseBody } from './sparse-body.js';
import type { ResponseMetadata, StoredResponse } from './stored-response.js';
import { sameSelecting } from './same-selecting.js';

export interface MemoryStoreOptions {
  /** For everything: keys, fields, bytes, and what is being written. 0: nothing is stored. */
  readonly limit: Bytes;
  /** A longer document is not stored; neither is one that would take more than half of the limit. */
  readonly maxDocument: Bytes;
  /** How many responses are kept under one key; one more drops the least recently used of them. */
  readonly variants: number;
  /** Shared with a store that this one stands in front of. */
  readonly order?: InvalidationOrder;
}

/** What another store has. */
export interface AdoptedResponse {
  readonly stored: StoredResponse;
  /** All of its bytes, in a buffer of their own. */
  readonly content: Buffer;
}

/** For the marks of invalidations, so that what is under way when they happen is known to be out of date. */
const marksLimit = bytes(1024 * 1024);
const nothing: readonly MemoryResponse[] = Object.freeze([]);

/**
 * Stored responses in memory, the least recently used key evicted first.
 *
 * A key is one entry of the list. A look-up is a use of all responses under its key, so a place in the list for each of
 * them would record the same order at the price of a second table and of one touch a variant on every hit. Which variant
 * of a key is used least shows when one is opened, and is what the cap on variants goes by.
 *
 *     limit ≥ the entries of the list + what writers have reserved
 */
export class MemoryStore implements ResponseStore {
  #limit: Bytes;
  /** How many bytes of body one response may have, and how much it may count in all. */
  #maxDocument: Bytes;
  #maxFootprint: Bytes;
  #variants: number;
  #resizings = 0;
  readonly #entries: LRUCache<CacheKey, Entry>;
  readonly #groups = new GroupIndex();
  readonly #order: InvalidationOrder;
  readonly #marks: InvalidationMarks;
  /** In the order in which they came, as a purge that goes through them and pauses needs it. */
  readonly #keys = new Set<CacheKey>();
  readonly #walk = new PurgeWalk(this.#keys, this.#groups);
  readonly #purges: PurgesUnderWay<number>;
  #reserved = 0;
  #responses = 0;
  #evicted = 0;
  #uses = 0;
  #ids = 0;
  #closed = false;

  constructor({ limit, maxDocument, variants, order = new InvalidationOrder() }: MemoryStoreOptions) {
    this.#order = order;
    this.#marks = new InvalidationMarks(marksLimit, order);
    this.#purges = new PurgesUnderWay(order, (selector, visit) => this.#walk.over(selector, visit));
    this.#limit = limit;
    this.#maxDocument = maxDocument;
    this.#maxFootprint = bytes(Math.floor(limit / 2));
    this.#variants = Math.max(1, variants);
    // the limit is kept here, for it can change; the list only counts
    this.#entries = new LRUCache({ maxSize: Number.MAX_SAFE_INTEGER });
  }

  /**
   * From now on these bounds hold. What no longer fits goes, the least recently used first, so much in each turn of the
   * event loop that nobody notices; until it has, the limit is what is taken. Fulfilled when all of it has gone.
   */
  async resize({ limit, maxDocument, variants }: MemoryStoreOptions): Promise<void> {
    const resizing = ++this.#resizings;
    const isOver = (): boolean => this.#closed || resizing !== this.#resizings;
    const trims = maxDocument < this.#maxDocument || variants < this.#variants;
    this.#maxDocument = maxDocument;
    this.#maxFootprint = bytes(Math.floor(limit / 2));
    this.#variants = Math.max(1, variants);
    while (this.#shrinkTo(limit)) {
      await nextTurn();
      if (isOver()) return;
    }
    let count = 0;
    for (const key of trims ? this.#keys : []) {
      this.#trim(key);
      if (++count % keysInTurn === 0) await nextTurn();
      if (isOver()) return;
    }
  }

  lookUp(key: CacheKey): readonly StoredResponse[] {
    return this.#entries.get(key)?.responses ?? nothing;
  }

  peek(key: CacheKey): readonly StoredResponse[] {
    return this.#entries.peek(key)?.responses ?? nothing;
  }

  ready(): true {
    return true;
  }

  open(stored: StoredResponse, from: Bytes, to: Bytes): Body {
    const response = stored instanceof MemoryResponse ? stored : this.#find(stored);
    if (response === null) throw new WillisError('internal', `response ${stored.id} is not stored here`);
    response.used(++this.#uses);
    const isEnd = response.complete && to === response.length;
    return new BufferedBody(response.body.slice(from, to), isEnd ? response.trailers : Fields.none);
  }

  write(draft: ResponseDraft): ResponseWriter | null {
    const reserved = headFootprint(draft.metadata);
    const length = draft.length ?? draft.extend?.length ?? null;
    const limit = bytes(Math.min(this.#maxDocument, this.#maxFootprint - reserved));
    if (limit < 0 || (length !== null && length > limit) || !this.#reserve(reserved)) return null;
    return new MemoryWriter(
      {
        reserve: (size) => this.#reserve(size),
        release: (size) => (this.#reserved -= size),
        store: (content) => this.#store(draft.metadata, draft.generation, content, null),
      },
      { from: draft.from, length, base: this.#baseOf(draft), limit, reserved },
    );
  }

  freshen(stored: StoredResponse, metadata: ResponseMetadata, generation: Generation): StoredResponse | null {
    const current = this.#find(stored);
    if (current === null || this.#purges.isForgetting(current)) return null;
    const { body, length, trailers } = current;
    return this.#store(metadata, generation, { body, length, trailers }, current);
  }

  remove(stored: StoredResponse): Promise<void> {
    const current = this.#responsesOf(stored.key);
    this.#set(
      stored.key,
      current.filter(({ id }) => id !== stored.id),
    );
    return Promise.resolve();
  }

  /** Takes copies of all that another store has under a key, under the same names; or of nothing, if there is no room. */
  adopt(responses: readonly AdoptedResponse[], generation: Generation): void {
    const [first] = responses;
    if (first === undefined || this.#closed || this.isInvalidatedAfter(first.stored.key, generation)) return;
    const copies = responses.map(({ stored, content }) => {
      const body = SparseBody.of(bytes(0), content.length === 0 ? [] : [content]);
      const { id, length, trailers, invalidated } = stored;
      return new MemoryResponse(stored, { id, generation, body, length, trailers, invalidated });
    });
    const size = footprintOf(copies);
    if (size > this.#maxFootprint || !this.#reserve(bytes(size))) return;
    this.#reserved -= size;
    this.#set(first.stored.key, copies);
  }

  /** Lets go of everything under a key, which is no eviction. */
  forget(key: CacheKey): void {
    if (this.#entries.has(key)) this.#set(key, []);
  }

  invalidate(key: CacheKey): Promise<void> {
    this.#marks.add(key);
    this.#replaceWhere(key, ({ invalidated }) => !invalidated, asInvalidated);
    return Promise.resolve();
  }

  invalidateGroup(origin: string, group: string): Promise<void> {
    const name = groupName(origin, group);
    this.#marks.add(name);
    for (const key of this.#groups.keysOf(name)) {
      this.#replaceWhere(key, (one) => !one.invalidated && one.groups.includes(group), asInvalidated);
    }
    return Promise.resolve();
  }

  purge(selector: PurgeSelector, mode: PurgeMode, now: EpochMs): Promise<number> {
    return this.#purges.purge(selector, mode, (key, isDue) =>
      mode === 'hard' ? this.#forgetWhere(key, isDue) : this.#replaceWhere(key, isDue, (one) => one.asEnded(now)),
    );
  }

  generation(): Generation {
    return this.#order.current();
  }

  isInvalidatedAfter(key: CacheKey, generation: Generation): boolean {
    return this.#marks.isAfter(key, generation) || this.#purges.after(generation, key, []) !== null;
  }

  usage(): StoreUsage {
    return {
      responses: this.#responses,
      bytes: bytes(this.#entries.calculatedSize + this.#reserved),
      limit: this.#limit,
      evicted: this.#evicted,
    };
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#entries.clear();
    this.#keys.clear();
    this.#groups.clear();
    this.#responses = 0;
    return Promise.resolve();
  }

  #responsesOf(key: CacheKey): readonly MemoryResponse[] {
    return this.#entries.peek(key)?.responses ?? nothing;
  }

  #find(stored: StoredResponse): MemoryResponse | null {
    return this.#responsesOf(stored.key).find(({ id }) => id === stored.id) ?? null;
  }

  /** The bytes that a draft adds to; none if they cannot be of the same representation. */
  #baseOf({ extend, length }: ResponseDraft): SparseBody {
    if (extend === undefined) return SparseBody.empty;
    const response = extend instanceof MemoryResponse ? extend : this.#find(extend);
    if (response === null || this.#isForgotten(response)) return SparseBody.empty;
    if (length !== null && response.length !== null && response.length !== length) {
      return SparseBody.empty;
    }
    return length !== null && (response.held.at(-1)?.to ?? 0) > length ? SparseBody.empty : response.body;
  }

  /** Makes a response visible, `instead` of an older version if there is one. */
  #store(
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
    if (this.#closed || response.footprint > this.#maxFootprint) return null;
    const others = this.#responsesOf(key).filter((other) => other !== instead);
    const twin = others.find(({ selecting }) => sameSelecting(selecting, response.selecting));
    if (twin?.complete === true && !response.complete) return null;
    const kept = this.#fit(
      response,
      others.filter((other) => other !== twin),
    );
    if (kept === null) return null;
    response.used(++this.#uses);
    this.#set(key, kept.length === 0 ? [response] : [response, ...kept]);
    return response;
  }

  /** Makes room for a response; gives those of the others under its key that are to stay. Null if there is no room. */
  #fit(response: MemoryResponse, others: readonly MemoryResponse[]): readonly MemoryResponse[] | null {
    if (this.#reserved + response.footprint > this.#limit) return null;
    // now its key is the last one to be evicted
    const present = this.#entries.get(response.key);
    const before = present === undefined ? 0 : footprintOf(present.responses);
    let kept = others;
    while (kept.length >= this.#variants) kept = withoutLeastUsed(kept);
    const excess = (): number =>
      this.#entries.calculatedSize - before + response.footprint + footprintOf(kept) + this.#reserved - this.#limit;
    while (excess() > 0) {
      if (this.#entries.size > (present === undefined ? 0 : 1)) this.#evict();
      else kept = withoutLeastUsed(kept);
    }
    this.#evicted += others.length - kept.length;
    return kept;
  }

  /** The only place where what is stored changes, but for marks of invalidation. */
  #set(key: CacheKey, responses: readonly MemoryResponse[]): void {
    const entry = this.#entries.peek(key);
    const before = entry?.responses ?? nothing;
    for (const gone of before) if (!responses.includes(gone)) this.#groups.remove(gone);
    for (const added of responses) if (!before.includes(added)) this.#groups.add(added);
    this.#responses += responses.length - before.length;
    if (responses.length === 0) this.#keys.delete(key);
    else if (before.length === 0) this.#keys.add(key);
    const size = footprintOf(responses);
    if (responses.length === 0) this.#entries.delete(key);
    // `#fit` has used it, and its size is the same: freshening does nothing else
    else if (entry !== undefined && size === footprintOf(before)) entry.responses = Object.freeze(responses);
    else this.#entries.set(key, new Entry(responses), { size });
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

  #forgetWhere(key: CacheKey, concerns: (response: MemoryResponse) => boolean): number {
    const responses = this.#responsesOf(key);
    const due = responses.filter(concerns);
    if (due.length === 0) return 0;
    const kept = responses.filter((one) => !due.includes(one));
    this.#set(key, kept);
    return due.length;
  }

  /** Whether a response that somebody looked up was purged hard, or may have been: then nothing is added to its bytes. */
  #isForgotten(response: MemoryResponse): boolean {
    const isStored = this.#find(response) !== null;
    return isStored ? this.#purges.isForgetting(response) : this.#purges.mayHaveForgotten(response);
  }

  /** Evicts down to a limit, or some of the way. @returns whether there is more to evict */
  #shrinkTo(limit: Bytes): boolean {
    const taken = (): number => this.#entries.calculatedSize + this.#reserved;
    for (let count = 0; count < keysInTurn && taken() > limit && this.#entries.size > 0; count++) this.#evict();
    const more = taken() > limit && this.#entries.size > 0;
    this.#limit = more ? bytes(taken()) : limit;
    return more;
  }

  /** Lets go of responses under a key that are too long, and of those beyond the cap. */
  #trim(key: CacheKey): void {
    const before = this.#responsesOf(key);
    let kept: readonly MemoryResponse[] = before.filter(({ body }) => body.size <= this.#maxDocument);
    while (kept.length > this.#variants) kept = withoutLeastUsed(kept);
    if (kept.length === before.length) return;
    this.#evicted += before.length - kept.length;
    this.#set(key, kept);
  }

  #reserve(size: Bytes): boolean {
    if (this.#closed || this.#reserved + size > this.#limit) return false;
    while (this.#entries.calculatedSize + this.#reserved + size > this.#limit) this.#evict();
    this.#reserved += size;
    return true;
  }

  /** Lets go of the least recently used key. */
  #evict(): void {
    const { responses } = this.#entries.pop() as Entry;
    for (const response of responses) {
      this.#groups.remove(response);
      this.#keys.delete(response.key);
    }
    this.#responses -= responses.length;
    this.#evicted += responses.length;
  }
}

/** Some milliseconds' work. */
const keysInTurn = 2000;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The responses under one key, the most recently stored or freshened first. */
class Entry {
  responses: readonly MemoryResponse[];

  constructor(responses: readonly MemoryResponse[]) {
    this.responses = Object.freeze(responses);
  }
}

const asInvalidated = (response: MemoryResponse): MemoryResponse => response.asInvalidated();

function footprintOf(responses: readonly MemoryResponse[]): number {
  let total = 0;
  for (const { footprint } of responses) total += footprint;
  return total;
}

function withoutLeastUsed(responses: readonly MemoryResponse[]): readonly MemoryResponse[] {
  let least = responses[0];
  for (const response of responses) if (response.lastUse < (least?.lastUse ?? 0)) least = response;
  return responses.filter((response) => response !== least);
}
