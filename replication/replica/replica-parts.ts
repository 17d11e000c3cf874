import type { Milliseconds } from '../../config/units.js';
import type { SignedGroup } from '../../wlis/trust/group.js';
import type { SignedHead } from '../../wlis/trust/head.js';

/** A node from which a replica can pull. */
export interface Source {
  /** `https://m1.example` */
  readonly url: string;
}

/** The place of a replica in the tree of servers. */
export interface ReplicaPlace {
  /** In the order in which they are to be asked: the parent, its ancestors, the primary. */
  sources(): readonly Source[];
  failed(url: string): void;
  well(url: string): void;
  /** What this head says is held now: those above and below are told. @param age since the primary published it */
  announce(head: SignedHead, age: Milliseconds): void;
  /** The newest that is known; null if none is. */
  readonly group: SignedGroup | null;
  /** Why the primary does not take this node for a replica; null if it does. */
  readonly refusal: string | null;
}
