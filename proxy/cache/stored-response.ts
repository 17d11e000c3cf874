import type { Bytes, EpochMs } from '../../config/units.js';
import type { Fields } from '../http/fields.js';
import type { Source } from '../http/provenance.js';
import type { CacheKey } from './cache-key.js';
import type { Freshness } from './freshness.js';
import type { SelectingFields } from './vary.js';

/** A half-open range of byte positions in a representation: `from` ≤ position < `to`. */
export interface Interval {
  readonly from: Bytes;
  readonly to: Bytes;
}

/** Everything about a response that is to be stored but its bytes. */
export interface ResponseMetadata {
  readonly key: CacheKey;
  /** 200 for a response stored in parts, whatever status brought them (RFC 9111 §3.4). */
  readonly status: number;
  readonly reason: string;
  /**
   * End-to-end fields as they are to be sent again: without `Age`, `Content-Length`, `Content-Range`, hop-by-hop fields
   * and those that a qualified `private` or `no-cache` names; with `Date` and this node's `Via`.
   */
  readonly fields: Fields;
  /** What the response's `Vary` nominated, with the values of the request that it answered (RFC 9111 §4.1). */
  readonly selecting: SelectingFields;
  /** Local time when the request was sent, and when the response's head was received (RFC 9111 §4.2.3). */
  readonly requestTime: EpochMs;
  readonly responseTime: EpochMs;
  /** Lifetime, initial age and the directives that govern reuse, computed once from the above. */
  readonly freshness: Freshness;
  /** Cache groups it belongs to (RFC 9875), within its origin. */
  readonly groups: readonly string[];
  /** Which of several nodes gave it, or said last that it still holds; null or missing where there was no choice. */
  readonly source?: Source | null | undefined;
  /** Names its bytes, as long as they are the same ones, over all freshening; missing if it was stored before they had names. */
  readonly contentName?: string | undefined;
}

/** A response in the store (RFC 9111 §3). Never mutated: freshening and completing it make a new one in its place. */
export interface StoredResponse extends ResponseMetadata {
  /** Names this version of it; never given twice in the life of a store. */
  readonly id: string;
  /** Length of the whole representation; null if only its parts and not its end are known. */
  readonly length: Bytes | null;
  /** Which bytes are held: sorted, disjoint, not adjacent, none empty. */
  readonly held: readonly Interval[];
  /** Whether all bytes from 0 to `length` are held. */
  readonly complete: boolean;
  /** Trailer fields of a complete response. */
  readonly trailers: Fields;
  /** Must be validated before its next use, however fresh: an unsafe request touched it (RFC 9111 §4.4). */
  readonly invalidated: boolean;
}
