import type { Bytes, Milliseconds } from '../config/units.js';
import type { Namespace } from '../wlis/namespace.js';
import type { SignedHead } from '../wlis/trust/head.js';
import type { NamespacePolicy } from '../wlis/trust/namespace-policy.js';
import type { Trie } from '../wlis/trust/trie.js';
import type { Variant } from '../wlis/trust/variant.js';
import type { Change, ChangeList } from './change-list.js';

/**
 * What is known of a namespace at one head: the trie is that of its root, and the list leads to its number. All three belong
 * together within the turn of the event loop in which they were got.
 */
export interface Edition {
  readonly head: SignedHead;
  readonly trie: Trie;
  /** Documents as `documentText` makes them; their records have the epoch of the head. */
  readonly list: ChangeList<string>;
}

/** What a document can be proven by. */
export interface Provable extends Pick<Edition, 'head' | 'trie'> {
  readonly list: Pick<ChangeList<string>, 'latest'>;
}

/** A namespace that this node holds, as its primary or as a replica: what it answers by, and what it can prove. */
export interface HeldNamespace {
  readonly namespace: Namespace;
  readonly role: 'primary' | 'replica';
  readonly policy: NamespacePolicy;
  /** Null until a replica has taken over for the first time. A head may have expired. */
  readonly edition: Edition | null;
  /** The same; waits while a head for what has just been changed is being signed. */
  settled(): Promise<Edition | null>;
  /** What requests are answered by: at a replica perhaps ahead of the edition, never behind it. Removals are changes too. */
  visible(path: string): Change<string> | undefined;
  /** An edition by which what is visible at this path can be proven: at a replica in mid-change the one that it goes to. */
  provable(path: string): Promise<Provable | null>;
  readonly content: DocumentContent;
  /** Time since the primary published the head of the edition, as it was handed down: no clocks are compared. */
  readonly confirmedAge: Milliseconds;
  /** Calls back after each change of the edition, be it only a renewed head. @returns what ends that */
  onEdition(listener: () => void): () => void;
}

/** The bytes of documents. */
export interface DocumentContent {
  /** Whether all of it is here. */
  has(variant: Variant): boolean;
  /**
   * The bytes from `from` to before `to`, every block verified before any of it is given. What is not here is fetched.
   * @throws BlobStoreError, or what fetching it throws
   */
  read(variant: Variant, from: Bytes, to: Bytes): AsyncIterable<Buffer>;
}
