import type { Bytes, EpochMs } from '../../config/units.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { SignedGroup } from '../../wlis/trust/group.js';
import type { ListPosition } from '../remote-holder.js';
import type { WantedContent } from './show-plan.js';

/** A node from which a replica can pull. */
export interface Source {
  /** `https://m1.example` */
  readonly url: string;
}

/** The place of a replica in the tree of servers. */
export interface ReplicaPlace {
  /** In the order in which they are to be asked: the parent, its ancestors, the primary. */
  sources(): readonly Source[];
  failed(url: string, error: unknown): void;
  well(url: string): void;
  /** Tells what is held now. */
  report(position: ListPosition): void;
  /** Whether others can tell this node of news. */
  readonly isReachable: boolean;
  /** The newest that is known; null if none is. */
  readonly group: SignedGroup | null;
  readonly activeUntil: EpochMs | null;
  /** Why it has no place, null if it has one. */
  readonly refusal: string | null;
}

export interface PullerEvents {
  readonly onHave: (digest: Digest) => void;
  /** Nobody has this any more: there must be news. */
  readonly onGone: () => void;
  readonly onRefused: (url: string, error: unknown) => void;
}

/** Pulls contents; whoever made it is told of what has come. */
export interface Puller {
  /** Exactly these from now on. */
  want(contents: readonly WantedContent[]): void;
  /** Sources may be there again. */
  retry(): void;
  readonly progress: PullProgress;
  stop(): Promise<void>;
}

export interface PullProgress {
  readonly bytesLeft: Bytes;
  readonly bytesPulled: Bytes;
  readonly bytesSpared: Bytes;
}
