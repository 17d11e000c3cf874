import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { BufferedBody, type Body } from '../http/body.js';
import { Fields } from '../http/fields.js';
import type { CacheKey } from './cache-key.js';
import { InvalidationOrder } from './invalidation-marks.js';
import { MemoryClasses } from './memory-classes.js';
import { footprintOf, MemoryEntries } from './memory-entries.js';
import { headFootprint } from './memory-footprint.js';
import { MemoryRecords, recordBounds } from './memory-records.js';
import { MemoryResponse } from './memory-response.js';
import { MemoryRoom } from './memory-room.js';
import { MemoryWriter } from './memory-writer.js';
import { nextTurn } from './next-turn.js';
import type { PinsFull } from './pins-full.js';
import type { PurgeMode, PurgeSelector } from './purge.js';
import type {
  Generation,
  Refusal,
  ResponseDraft,
  ResponseStore,
  ResponseWriter,
  StoreUsage,
} from './response-store.js';
import type { ClassUsage, Retention } from './retention.js';
import { SparseBody } from './sparse-body.js';
import type { ResponseMetadata, StoredResponse } from './stored-response.js';

export interface MemoryBounds {
  /** For everything: keys, fields, bytes, and what is being written. 0: nothing is stored. */
  readonly limit: Bytes;
  /** A longer document is not stored; neither is one that would take more than half of the limit. */
  readonly maxDocument: Bytes;
  /** How many responses are kept under one key; one more drops the least recently used of them. */
  readonly variants: number;
}

export interface MemoryStoreOptions extends MemoryBounds {
  /** Shared with a store that this one stands in front of. */
  readonly order?: InvalidationOrder;
  /** Something was not stored because pinned responses have the room. */
  readonly onPinsFull?: (full: PinsFull) => void;
}

/** What another store has. */
export interface AdoptedResponse {
  readonly stored: StoredResponse;
  /** All of its bytes, in a buffer of their own. */
  readonly content: Buffer;
}

const nothing: readonly MemoryResponse[] = Object.freeze([]);

/** Stored responses in memory, the least recently used key evicted first. */
export class MemoryStore implements ResponseStore {
  readonly #classes = new MemoryClasses();
  readonly #entries = new MemoryEntries(this.#classes);
  readonly #room: MemoryRoom;
  readonly #order: InvalidationOrder;
  readonly #records: MemoryRecords;
  /** So often the bounds and the retention were changed. */
  #resizings = 0;
  #retainings = 0;
  #closed = false;

  constructor({ limit, maxDocument, variants, order = new InvalidationOrder(), onPinsFull }: MemoryStoreOptions) {
    this.#order = order;
    const [entries, classes] = [this.#entries, this.#classes];
    this.#room = new MemoryRoom({ limit, entries, classes, onPinsFull });
    const bounds = recordBounds({ limit, maxDocument, variants });
    this.#records = new MemoryRecords({ entries, classes, room: this.#room, order }, bounds);
  }

  /**
   * From now on these bounds hold. What no longer fits goes, the least recently used first, so much in each turn of the
   * event loop that nobody notices; until it has, the limit is what is taken. Fulfilled when all of it has gone.
   */
  async resize({ limit, maxDocument, variants }: MemoryBounds): Promise<void> {
    const resizing = ++this.#resizings;
    const isOver = (): boolean => this.#closed || resizing !== this.#resizings;
    const before = this.#records.bounds;
    const trims = maxDocument < before.maxDocument || variants < before.variants;
    this.#records.bounds = recordBounds({ limit, maxDocument, variants });
    while (!this.#room.shrinkTo(limit, keysInTurn).isDone) {
      await nextTurn();
      if (isOver()) return;
    }
    let count = 0;
    for (const key of trims ? this.#entries.keys : []) {
      this.#records.trim(key);
      if (++count % keysInTurn === 0) await nextTurn();
      if (isOver()) return;
    }
  }

  /**
   * As `ResponseStore.retain`, so much in each turn that nobody notices.
   * @param isBacked whether what was adopted may be evicted whatever its class, for there is a store that has it
   */
  async retain(retention: Retention, isBacked = false): Promise<void> {
    const retaining = ++this.#retainings;
    const isOver = (): boolean => this.#closed || retaining !== this.#retainings;
    this.#classes.retain(retention, isBacked);
    let count = 0;
    for (const key of this.#entries.keys) {
      this.#entries.reclassify(key);
      if (++count % keysInTurn === 0) await nextTurn();
      if (isOver()) return;
    }
    while (!this.#room.trimShares(keysInTurn).isDone) {
      await nextTurn();
      if (isOver()) return;
    }
  }

  lookUp(key: CacheKey): readonly StoredResponse[] {
    return this.#entries.use(key)?.responses ?? nothing;
  }

  peek(key: CacheKey): readonly StoredResponse[] {
    return this.#entries.peek(key)?.responses ?? nothing;
  }

  ready(): true {
    return true;
  }

  open(stored: StoredResponse, from: Bytes, to: Bytes): Body {
    const response = stored instanceof MemoryResponse ? stored : this.#records.find(stored);
    if (response === null) throw new WillisError('internal', `response ${stored.id} is not stored here`);
    this.#records.opened(response);
    const isEnd = response.complete && to === response.length;
    return new BufferedBody(response.body.slice(from, to), isEnd ? response.trailers : Fields.none);
  }

  write(draft: ResponseDraft): ResponseWriter | null {
    const reserved = headFootprint(draft.metadata);
    const [length, limit] = [lengthOf(draft), this.#limitFor(draft)];
    if (this.#closed || limit < 0 || (length !== null && length > limit)) return null;
    const of = this.#classes.of(draft.metadata.key, false);
    const [room, all] = [this.#room, wantedBy(draft)];
    if (!room.mayTake({ of, all, ofClass: all, isNew: true }) || !room.reserve(reserved, of)) return null;
    return new MemoryWriter(
      {
        reserve: (size) => !this.#closed && room.reserve(size, of),
        release: (size) => {
          room.release(size, of);
        },
        store: (content) => this.#records.store(draft.metadata, draft.generation, content, null),
      },
      { from: draft.from, length, base: this.#baseOf(draft), limit, reserved },
    );
  }

  refusal(draft: ResponseDraft): Refusal {
    if ((lengthOf(draft) ?? 0) > this.#limitFor(draft)) return 'too-large';
    const of = this.#classes.of(draft.metadata.key, false);
    return this.#room.pinsFull(wantedBy(draft), of, true) === null ? 'too-large' : 'pins-full';
  }

  freshen(stored: StoredResponse, metadata: ResponseMetadata, generation: Generation): StoredResponse | null {
    return this.#records.freshen(stored, metadata, generation);
  }

  remove(stored: StoredResponse): Promise<void> {
    this.#records.forgetWhere(stored.key, ({ id }) => id === stored.id);
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
    const { key } = first.stored;
    const [size, of] = [bytes(footprintOf(copies)), this.#classes.of(key, true)];
    if (size > this.#records.bounds.maxFootprint || !this.#room.reserve(size, of)) return;
    this.#room.release(size, of);
    this.#entries.set(key, copies, true);
  }

  /** Lets go of everything under a key, which is no eviction. */
  forget(key: CacheKey): void {
    this.#entries.set(key, nothing);
  }

  invalidate(key: CacheKey): Promise<void> {
    this.#records.invalidate(key);
    return Promise.resolve();
  }

  invalidateGroup(origin: string, group: string): Promise<void> {
    this.#records.invalidateGroup(origin, group);
    return Promise.resolve();
  }

  purge(selector: PurgeSelector, mode: PurgeMode, now: EpochMs): Promise<number> {
    return this.#records.purge(selector, mode, now);
  }

  generation(): Generation {
    return this.#order.current();
  }

  isInvalidatedAfter(key: CacheKey, generation: Generation): boolean {
    return this.#records.isInvalidatedAfter(key, generation);
  }

  usage(): StoreUsage {
    const { responses, evicted } = this.#entries;
    return { responses, bytes: this.#room.taken, limit: this.#room.limit, evicted };
  }

  classes(): readonly ClassUsage[] {
    return this.#classes.usage();
  }

  /** What pinned responses take, those included that are being written. */
  get pinned(): Bytes {
    return bytes(this.#classes.pinned + this.#classes.pinnedReserved);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#records.close();
    return Promise.resolve();
  }

  /** How many bytes the body of a response may have. */
  #limitFor({ metadata }: ResponseDraft): Bytes {
    const { maxDocument, maxFootprint } = this.#records.bounds;
    return bytes(Math.min(maxDocument, maxFootprint - headFootprint(metadata)));
  }

  /** The bytes that a draft adds to; none if they cannot be of the same representation. */
  #baseOf({ extend, length }: ResponseDraft): SparseBody {
    if (extend === undefined) return SparseBody.empty;
    const response = extend instanceof MemoryResponse ? extend : this.#records.find(extend);
    if (response === null || this.#records.isForgotten(response)) return SparseBody.empty;
    if (length !== null && response.length !== null && response.length !== length) {
      return SparseBody.empty;
    }
    return length !== null && (response.held.at(-1)?.to ?? 0) > length ? SparseBody.empty : response.body;
  }
}

/** Some milliseconds' work. */
const keysInTurn = 2000;

const lengthOf = ({ length, extend }: ResponseDraft): Bytes | null => length ?? extend?.length ?? null;

/** What it will take at least: its fields, and as many bytes as it announces. */
const wantedBy = ({ metadata, length, from }: ResponseDraft): Bytes =>
  bytes(headFootprint(metadata) + (length === null ? 0 : length - from));
