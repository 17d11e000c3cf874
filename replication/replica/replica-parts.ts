import type { Milliseconds } from '../../config/units.js';
import type { Epoch } from '../../wlis/trust/epoch.js';
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
  /** Others of the group, to be asked when those have nothing; few, and another few each time. */
  others(): readonly Source[];
  failed(url: string): void;
  /** @param epoch of the head that it has; null if it is behind this node */
  well(url: string, epoch: Epoch | null): void;
  /** What this head says is held now: those above and below are told. @param age since the primary published it */
  announce(head: SignedHead, age: Milliseconds): void;
  /** The newest that is known; null if none is. */
  readonly group: SignedGroup | null;
  /** Why the primary does not take this node for a replica; null if it does. */
  readonly refusal: string | null;
}
