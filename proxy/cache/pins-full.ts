import type { Bytes } from '../../config/units.js';
import { mostPinned, type RetentionClass } from './retention.js';

/** What there is in a store, what is being written included. */
export interface RoomTaken {
  readonly limit: Bytes;
  /** All that is pinned. */
  readonly pinned: Bytes;
  /** Of what is being written, what is not pinned. */
  readonly writing: Bytes;
  /** All of the class that more is wanted of. */
  readonly ofClass: Bytes;
}

/** A response was not stored because pinned ones have the room. */
export interface PinsFull {
  /** Its class. */
  readonly of: RetentionClass;
  readonly wanted: Bytes;
  /** What pinned responses take, those included that are being written. */
  readonly pinned: Bytes;
  /** What they and it would have to keep to. */
  readonly limit: Bytes;
}

/**
 * Whether pinned responses have the room that something more of a class would take; null: they have not. They may take
 * `mostPinned` of the store, and their class its share. What is stored already and grows (`isNew` false) may use all of it.
 */
export function pinsFull(wanted: Bytes, of: RetentionClass, taken: RoomTaken, isNew: boolean): PinsFull | null {
  const { pinned, ofClass } = taken;
  if (wanted <= 0) return null;
  if (!of.pinned) return beyond(taken.limit, { of, wanted, pinned }, pinned + taken.writing);
  const most = isNew ? mostPinned(taken.limit) : taken.limit;
  const ofShare = of.maxBytes === null ? null : beyond(of.maxBytes, { of, wanted, pinned: ofClass }, ofClass);
  return ofShare ?? beyond(most, { of, wanted, pinned }, pinned);
}

const beyond = (limit: Bytes, full: Omit<PinsFull, 'limit'>, taken: number): PinsFull | null =>
  full.pinned > 0 && taken + full.wanted > limit ? { ...full, limit } : null;
