import type { Bytes } from '../../config/units.js';
import { bytes } from '../../config/units.js';
import type { CacheKey } from './cache-key.js';

/** What is kept in the same way, and counted together. Two with the same name are the same class. */
export interface RetentionClass {
  /** What people know it by, and what counts go by that outlive the process; empty for the ordinary class only. */
  readonly name: string;
  /** Whether nothing of it is ever evicted, whatever else is to be stored. */
  readonly pinned: boolean;
  /** What it may take altogether: beyond it the least recently used of the class goes, or if pinned nothing more is taken. */
  readonly maxBytes: Bytes | null;
}

/**
 * Decides how the responses under a key are kept. A store asks when it stores something, and about what it has when it is
 * given another retention; never for a hit. What is to be kept for other reasons than an operator's rule (a namespace that
 * is replicated) is a class of its own in the retention that the store is given.
 */
export interface Retention {
  classOf(key: CacheKey): RetentionClass;
  /** All that `classOf` gives but the ordinary one, each once. */
  readonly classes: readonly RetentionClass[];
  /** Two retentions with the same identity give each key a class of the same name. */
  readonly identity: string;
}

/** What no retention says anything else of. */
export const ordinary: RetentionClass = Object.freeze({ name: '', pinned: false, maxBytes: null });

/** Everything is ordinary. */
export const noRetention: Retention = Object.freeze({ classOf: () => ordinary, classes: [], identity: '' });

/** Pinned responses may take nine tenths of a store; the last one is left to all others. */
export const mostPinned = (limit: Bytes): Bytes => bytes(Math.floor((limit / 10) * 9));

/** What a store has of a class. */
export interface ClassUsage extends RetentionClass {
  readonly responses: number;
  /** Without what is being written. */
  readonly bytes: Bytes;
  /** Since the start: responses evicted, and responses that were not taken because pinned ones have the room. */
  readonly evicted: number;
  readonly refused: number;
}
