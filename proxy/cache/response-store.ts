import type { Bytes, EpochMs } from '../../config/units.js';
import type { Body } from '../http/body.js';
import type { Fields } from '../http/fields.js';
import type { CacheKey } from './cache-key.js';
import type { PurgeMode, PurgeSelector } from './purge.js';
import type { ClassUsage, Retention } from './retention.js';
import type { ResponseMetadata, StoredResponse } from './stored-response.js';

/**
 * Where stored responses live. Every implementation passes `test/cache/response-store.contract.ts`.
 *
 * Nothing here decides anything about HTTP: what may be stored, selected or reused is decided by the caller. What may be
 * at hand is returned at once, what is not as a promise. No method of a store ever makes an answer fail: an
 * implementation that cannot read or write behaves as if the response were not there, and reports it.
 */
export interface ResponseStore {
  /** All responses stored under a key, the most recently stored or freshened first. Counts as a use of them. */
  lookUp(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]>;

  /** As `lookUp`, without counting as a use: for `explain` and for checks. */
  peek(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]>;

  /**
   * Begins to read the bytes from ≤ position < to of a stored response. False: they cannot be read, and it may be forgotten;
   * who asked does as if it had not been found. Bytes that then fail to come break the body that was to give them.
   */
  ready(stored: StoredResponse, from: Bytes, to: Bytes): true | Promise<boolean>;

  /**
   * The bytes from ≤ position < to of a stored response, all of which it holds. They stay readable until the body is
   * read or cancelled, even when the response is replaced or evicted meanwhile. A response that somebody has looked up
   * and that was removed since can still be opened: it may be the answer to a last request.
   */
  open(stored: StoredResponse, from: Bytes, to: Bytes): Body;

  /**
   * Begins to store a response. What is being written is visible to nobody before `commit`, and replaces, under its key,
   * what has the same selecting fields. Null if it will not be taken (larger than the store allows, store unwell).
   */
  write(draft: ResponseDraft): ResponseWriter | null;

  /**
   * Puts new metadata in the place of a stored response's (freshening, RFC 9111 §4.3.4), its bytes unchanged; clears
   * `invalidated` unless an invalidation came after `generation`. Null if it is no longer there, or was purged hard after
   * `generation`.
   */
  freshen(
    stored: StoredResponse,
    metadata: ResponseMetadata,
    generation: Generation,
  ): StoredResponse | null | Promise<StoredResponse | null>;

  /** Forgets one stored response. Resolves when this is true for every later request. */
  remove(stored: StoredResponse): Promise<void>;

  /**
   * Marks everything under a key as invalid, and everything for this key that is being written or that answers a request
   * sent before now. Resolves when this is true for every later request, whichever process receives it.
   */
  invalidate(key: CacheKey): Promise<void>;

  /** The same for all responses that belong to a cache group of an origin (RFC 9875), as `originOfKey` names it. */
  invalidateGroup(origin: string, group: string): Promise<void>;

  /**
   * Purges what an operator names, and what of it is being written or answers a request sent before now. Soft: its
   * lifetime ends `now` (`endedAt`). Hard: it is forgotten, and nothing is added to its bytes. Resolves when this is
   * true for every later request, with the number of stored responses that it concerned; other work is not held up.
   */
  purge(selector: PurgeSelector, mode: PurgeMode, now: EpochMs): Promise<number>;

  /** Taken before a request is forwarded, given with what its answer stores; see `invalidate` and `purge`. */
  generation(): Generation;

  /** Whether a key was, or may have been, invalidated or purged after that point. */
  isInvalidatedAfter(key: CacheKey, generation: Generation): boolean;

  usage(): StoreUsage;

  /**
   * From now on this says what is pinned and what has a share of its own. What is stored is looked at again behind other
   * work; what is never to be evicted any more is not from this moment on. Fulfilled when what is beyond a share is gone.
   */
  retain(retention: Retention): Promise<void>;

  /** What there is of each class of its retention. */
  classes(): readonly ClassUsage[];

  /** Why a `write` that has just given null did so. */
  refusal(draft: ResponseDraft): Refusal;

  /** Idempotent. */
  close(): Promise<void>;
}

/** A point in the order of invalidations and purges. */
export type Generation = number & { readonly generation: unique symbol };

/**
 * Why a response is not taken: it is too long for the store, or for the share of its class; pinned responses have the room;
 * the disk fails, and what stands in for it does not take it.
 */
export type Refusal = 'too-large' | 'pins-full' | 'disk-unwell';

export interface ResponseDraft {
  readonly metadata: ResponseMetadata;
  readonly generation: Generation;
  /** Position of the first byte that will be written; 0 for whole responses. */
  readonly from: Bytes;
  /** Length of the whole representation, null if only the end will tell. */
  readonly length: Bytes | null;
  /**
   * A stored response of the same representation, by its strong validator, to whose bytes these are added
   * (RFC 9111 §3.4). Its bytes are kept; the metadata is that of the draft.
   */
  readonly extend?: StoredResponse | undefined;
}

/** The writing end of one response. Exactly one of `commit` and `abandon` ends it; the buffers given are kept as they are. */
export interface ResponseWriter {
  /** Whether the buffers given stay in memory as what is stored. */
  readonly keepsBuffers?: boolean | undefined;
  /** Adds bytes. False, for ever after, once the store gave up on this response (too large); the caller goes on alone. */
  append(chunk: Buffer): boolean | Promise<boolean>;
  /**
   * All bytes of this transfer have come. The response is complete if they, with those it extends, reach from 0 to its
   * length (for an unknown length: to here). Null if the store gave up on it.
   */
  commit(trailers: Fields): StoredResponse | null | Promise<StoredResponse | null>;
  /**
   * The transfer broke off or was given up. With `keep` the bytes so far are stored as a part, to be completed later;
   * a response already complete under that key is never replaced by a part.
   */
  abandon(keep: boolean): StoredResponse | null | Promise<StoredResponse | null>;
}

export interface StoreUsage {
  readonly responses: number;
  /** Keys, fields and bodies, as counted against the limit. */
  readonly bytes: Bytes;
  readonly limit: Bytes;
  /** Responses evicted to make room since the start. */
  readonly evicted: number;
}
