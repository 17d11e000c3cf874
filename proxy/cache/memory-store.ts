import { LRUCache } from 'lru-cache';
import { bytes, type Bytes } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { BufferedBody, type Body } from '../http/body.js';
import { Fields } from '../http/fields.js';
import type { CacheKey } from './cache-key.js';
import { GroupIndex, groupName, groupNames } from './group-index.js';
import { InvalidationMarks } from './invalidation-marks.js';
import { headFootprint } from './memory-footprint.js';
import { MemoryResponse, type MemoryContent } from './memory-response.js';
import { MemoryWriter } from './memory-writer.js';
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
  readonly #limit: Bytes;
  /** How many bytes of body one response may have, and how much it may count in all. */
  readonly #maxDocument: Bytes;
  readonly #maxFootprint: Bytes;
  readonly #variants: number;
  readonly #entries: LRUCache<CacheKey, Entry>;
  readonly #groups = new GroupIndex();
  readonly #marks = new InvalidationMarks(marksLimit);
  #reserved = 0;
  #responses = 0;
  #evicted = 0;
  #uses = 0;
  #ids = 0;
  #closed = false;

  constructor({ limit, maxDocument, variants }: MemoryStoreOptions) {
    this.#limit = limit;
    this.#maxDocument = maxDocument;
    this.#maxFootprint = bytes(Math.floor(limit / 2));
    this.#variants = Math.max(1, variants);
    this.#entries = new LRUCache({ maxSize: Math.max(1, Math.floor(limit)) });
  }

  lookUp(key: CacheKey): readonly StoredResponse[] {
    return this.#entries.get(key)?.responses ?? nothing;
  }

  peek(key: CacheKey): readonly StoredResponse[] {
    return this.#entries.peek(key)?.responses ?? nothing;
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
    if (current === null) return null;
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

  invalidate(key: CacheKey): Promise<void> {
    this.#marks.add(key);
    this.#invalidateWhere(key, () => true);
    return Promise.resolve();
  }

  invalidateGroup(origin: string, group: string): Promise<void> {
    const name = groupName(origin, group);
    this.#marks.add(name);
    for (const key of this.#groups.keysOf(name)) this.#invalidateWhere(key, ({ groups }) => groups.includes(group));
    return Promise.resolve();
  }

  generation(): Generation {
    return this.#marks.current();
  }

  isInvalidatedAfter(key: CacheKey, generation: Generation): boolean {
    return this.#marks.isAfter(key, generation);
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
    if (response === null || (length !== null && response.length !== null && response.length !== length)) {
      return SparseBody.empty;
    }
    return length !== null && (response.held.at(-1)?.to ?? 0) > length ? SparseBody.empty : response.body;
  }

  /** Makes a response visible, `instead` of an older version if there is one. */
  #store(
    metadata: ResponseMetadata,
    generation: Generation,
    content: Omit<MemoryContent, 'id' | 'invalidated'>,
    instead: MemoryResponse | null,
  ): MemoryResponse | null {
    const { key } = metadata;
    const { body, length, trailers } = content;
    const invalidated =
      this.#marks.isAfter(key, generation) ||
      groupNames(metadata).some((group) => this.#marks.isAfter(group, generation));
    const response = new MemoryResponse(metadata, { id: `m${++this.#ids}`, body, length, trailers, invalidated });
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
    const before = this.#responsesOf(key);
    for (const gone of before) if (!responses.includes(gone)) this.#groups.remove(gone);
    for (const added of responses) if (!before.includes(added)) this.#groups.add(added);
    this.#responses += responses.length - before.length;
    if (responses.length === 0) this.#entries.delete(key);
    else this.#entries.set(key, new Entry(responses), { size: footprintOf(responses) });
  }

  /** In place: being invalidated is no use, and changes no size. */
  #invalidateWhere(key: CacheKey, concerns: (response: MemoryResponse) => boolean): void {
    const entry = this.#entries.peek(key);
    if (entry === undefined) return;
    const isDue = (response: MemoryResponse): boolean => !response.invalidated && concerns(response);
    if (!entry.responses.some(isDue)) return;
    entry.responses = Object.freeze(entry.responses.map((one) => (isDue(one) ? one.asInvalidated() : one)));
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
    for (const response of responses) this.#groups.remove(response);
    this.#responses -= responses.length;
    this.#evicted += responses.length;
  }
}

/** The responses under one key, the most recently stored or freshened first. */
class Entry {
  responses: readonly MemoryResponse[];

  constructor(responses: readonly MemoryResponse[]) {
    this.responses = Object.freeze(responses);
  }
}

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
