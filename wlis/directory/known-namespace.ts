import type { EpochMs } from '../../config/units.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import type { Namespace } from '../namespace.js';
import type { SignedGroup } from '../trust/group.js';
import type { HeadJudgement, SignedHead } from '../trust/head.js';
import type { KeyId, PublicKey } from '../trust/public-key.js';

/** A namespace of which this node knows who holds it. Everything in it has been verified. */
export interface KnownNamespace {
  readonly namespace: Namespace;
  /** The newest statement of its group. It may have expired: then it still says where its members are. */
  readonly group: SignedGroup;
  /** When that was learned. */
  readonly learned: EpochMs;
  /** The newest head that anybody has shown; null if none has. */
  readonly head: SignedHead | null;
  /** The key of that name if it signs for the namespace now. */
  keyFor(id: KeyId): PublicKey | null;
  /** Takes note of a verified head; it is the newest one from then on if it is judged so. */
  confirm(head: SignedHead): HeadJudgement;
  /** Somebody signs with a key that is not known: newer root statements are asked for. @returns whether there are some */
  seekKeys(at: string, signal: AbortSignal): Promise<boolean>;
  /** A member has spoken of a version of the group: if it is a later one it is asked for, behind other work. */
  heardOf(version: number, at: string): void;
}

/** Where requests learn whose namespace they are about. */
export interface NamespaceFinder {
  /** The namespace that a target belongs to; null if none is known. Asks nobody. */
  of(target: TargetUri): KnownNamespace | null;
}
