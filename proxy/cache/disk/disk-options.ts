import type { Bytes, Milliseconds } from '../../../config/units.js';
import type { Clock } from '../../base/clock.js';
import type { openKeyValue } from '../../base/key-value.js';
import type { CacheKey } from '../cache-key.js';
import type { InvalidationOrder } from '../invalidation-marks.js';
import type { PinsFull } from '../pins-full.js';
import type { Retention } from '../retention.js';
import type { UnwellReason } from './disk-health.js';
import type { FileSystem } from './file-system.js';

export interface DiskOptions {
  /** Made if it is not there. */
  readonly directory: string;
  /** For everything in the directory, but for what the index has not yet given back; see docs/storage.md. */
  readonly limit: Bytes;
  /** A longer document is not stored; neither is one that would take more than half of the limit. */
  readonly maxDocument: Bytes;
  /** How many responses are kept under one key; one more drops the least recently used of them. */
  readonly variants: number;
  readonly clock: Clock;
  /** The store is unwell: until `onWell` nothing is found or stored. Called again if it then turns out that the disk fails. */
  readonly onUnwell: (error: unknown, reason: UnwellReason) => void;
  readonly onWell: () => void;
  /** A stored response could not be read, or not be trusted, and is forgotten. */
  readonly onLost?: (key: CacheKey, error: unknown) => void;
  /** Something about the state in which the store was found, for the operator. */
  readonly onNotice?: (notice: string) => void;
  /** Bodies up to this are kept in the index. */
  readonly inline?: Bytes;
  readonly retryAfter?: Milliseconds;
  /**
   * How long an open waits for an index that has to be repaired, and many times as long for one that is slow to open, before
   * the store begins unwell; to the end if there is none.
   */
  readonly patience?: Milliseconds;
  /** So much of the index is looked through before it is used; the rest later. */
  readonly checkedAtStart?: Bytes;
  /** Shared with a store that this one stands behind. */
  readonly order?: InvalidationOrder;
  /** Whether a key is in use where the store does not learn of it; then it is not evicted. */
  readonly isUsed?: (key: CacheKey) => boolean;
  /**
   * At first; nothing is pinned or has a share if there is none. Null: it is not known here, and what is stored stays in
   * the classes that it is in, which have no bounds.
   */
  readonly retention?: Retention | null;
  /** Something was not stored because pinned responses have the room. */
  readonly onPinsFull?: (full: PinsFull) => void;
  readonly system?: FileSystem;
  readonly openRecords?: typeof openKeyValue;
  /** What names the time since the machine was started; null if nothing does. */
  readonly boot?: string | null;
}
