import type { Bytes, EpochMs, Milliseconds } from '../config/units.js';
import type { Namespace } from '../wlis/namespace.js';
import type { Digest } from '../wlis/trust/digest.js';
import type { KeyId } from '../wlis/trust/public-key.js';

/** How a namespace fares at this node, for people and programs of its operator. */
export interface NamespaceReport {
  readonly namespace: Namespace;
  readonly role: 'primary' | 'replica';
  /**
   * `in-step`: what the newest known head says is here; `behind`: it is being pulled; `cut-off`: nobody above can be reached;
   * `joining`: nothing is held yet, or the primary does not admit this node; `held`: the source waits for the operator.
   */
  readonly state: 'in-step' | 'behind' | 'cut-off' | 'joining' | 'held';
  /** Why, where that is not plain; one sentence. */
  readonly reason: string | null;
  /** What is held, null if nothing is yet. */
  readonly version: { readonly epoch: string; readonly seq: number; readonly root: Digest } | null;
  /** The newest that was heard of, proven or not yet pulled. */
  readonly known: { readonly epoch: string; readonly seq: number } | null;
  readonly documents: number;
  /** Content that is here, and that belongs here altogether. */
  readonly bytes: Bytes;
  readonly totalBytes: Bytes;
  /** Numbers, and time since the first of them was heard of; zero in step. */
  readonly lag: { readonly changes: number; readonly time: Milliseconds };
  readonly confirmedAge: Milliseconds;
  /** From where it is pulled; null at the primary. */
  readonly parent: string | null;
  /** The nodes above, where the primary has placed this one: the nearest first. */
  readonly ancestors: readonly string[];
  readonly activeUntil: EpochMs | null;
  /** Nodes that are told of changes by this one. */
  readonly children: readonly string[];
  readonly counters: ReplicationCounters;
}

/** Since the start. */
export interface ReplicationCounters {
  /** Changes that were published or taken. */
  readonly changes: number;
  readonly bytesPulled: Bytes;
  /** Bytes of changed documents that were here already, in whole blocks or whole contents. */
  readonly bytesSpared: Bytes;
  /** By what was wrong with them: `wrong-digest`, `malformed`, `wrong-signature`, … */
  readonly refused: Readonly<Record<string, number>>;
  readonly notificationsReceived: number;
  readonly notificationsSent: number;
  readonly notificationsFailed: number;
}

/** What the primary knows of a replica. */
export interface ReplicaReport {
  readonly id: KeyId;
  readonly urls: readonly string[];
  readonly access: 'listed' | 'open';
  /** What it said that it holds. */
  readonly held: { readonly epoch: string; readonly seq: number } | null;
  /** Numbers, and time since it lacks the first of them. */
  readonly lag: { readonly changes: number; readonly time: Milliseconds };
  readonly activeUntil: EpochMs;
  /** Null: it was heard of in time. */
  readonly isActive: boolean;
  /** The node that it is to pull from. */
  readonly parent: KeyId | null;
}
