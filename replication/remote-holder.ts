import type { Bytes, Milliseconds } from '../config/units.js';
import type { Digest } from '../wlis/trust/digest.js';
import type { SignedHead } from '../wlis/trust/head.js';
import type { ListTail } from '../wlis/trust/record-list.js';
import type { DocumentRecord, Removal } from '../wlis/trust/record.js';
import type { Prefix } from '../wlis/trust/trie-part.js';

/** How far a reader is: what `since` says in calls. */
export interface ListPosition {
  readonly epoch: string;
  readonly seq: number;
  /** Of its trie; null for a reader that has nothing. */
  readonly root: Digest | null;
}

export interface HeadAnswer {
  /** Verified. */
  readonly head: SignedHead;
  /** `confirmedAge` of the one who answered, when it did. */
  readonly age: Milliseconds;
}

export interface ChangesAnswer extends HeadAnswer {
  readonly kind: 'changes';
  /** Records and removals of the epoch of the head, their numbers ascending, none of them beyond that of the head. */
  readonly records: readonly (DocumentRecord | Removal)[];
  /** Numbers from the first to the second of which become visible together. */
  readonly sets: readonly (readonly [from: number, to: number])[];
  readonly tail: ListTail;
}

/** `diverged`: the same number with another root. `forgotten`: another epoch, or too far back. Tries are to be compared. */
export interface NoChanges extends HeadAnswer {
  readonly kind: 'diverged' | 'forgotten';
}

/**
 * Another node that holds a namespace, as the calls of the protocol show it. All that comes from it is bounded, verified as far
 * as it can be without what is held here, and complete or refused.
 *
 * All calls @throw CallFailed: unreachable, refused (with the reason of the problem), or a NotBelieved with what and from whom.
 */
export interface RemoteHolder {
  /** `https://m1.example` */
  readonly url: string;
  /** @param wait how long the answer may wait for a version after `after` */
  head(after: Pick<ListPosition, 'epoch' | 'seq'> | null, wait: Milliseconds, signal: AbortSignal): Promise<HeadAnswer>;
  changes(since: ListPosition | null, signal: AbortSignal): Promise<ChangesAnswer | NoChanges>;
  /** Texts for `trieDifferences`, of the trie with that root, which the other may have left behind meanwhile. */
  subtrees(root: Digest, prefixes: readonly Prefix[], signal: AbortSignal): Promise<readonly string[]>;
  /** Of the trie with that root; at most 64 keys. */
  records(root: Digest, keys: readonly Digest[], signal: AbortSignal): Promise<readonly DocumentRecord[]>;
  /** The bytes from ≤ position < to, as they come: not verified. */
  blob(digest: Digest, from: Bytes, to: Bytes, signal: AbortSignal): AsyncIterable<Buffer>;
  /** Not longer than 128 KiB, and verified to have that digest. */
  blockList(digest: Digest, signal: AbortSignal): Promise<Buffer>;
  /** Short contents of what changed after that number, each verified to have its digest, in the order of the changes. */
  bundle(since: ListPosition | null, maxBytes: Bytes, signal: AbortSignal): AsyncIterable<BundledContent>;
}

export interface BundledContent {
  readonly digest: Digest;
  readonly content: Buffer;
  /** All changes up to this number are in what has come so far, or too long for a bundle. */
  readonly seq: number;
}
