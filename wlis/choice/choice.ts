import type { Bytes, EpochMs, Milliseconds, MonotonicMs } from '../../config/units.js';
import type { KnownNamespace } from '../directory/known-namespace.js';
import type { Place } from '../trust/group-member.js';
import type { KeyId } from '../trust/public-key.js';

/** A node that may have a document, and what is known of it. */
export interface Candidate {
  /** `https://m1.example`; what health is known by. */
  readonly url: string;
  /** Null for a mirror that is an ordinary server. */
  readonly key: KeyId | null;
  readonly role: 'primary' | 'replica' | 'mirror';
  readonly place: Place | null;
  /** How much it can take beside the others. */
  readonly capacity: number;
  readonly health: NodeHealth;
}

/** What has been seen of a node, by its answers and by what it says of itself. */
export interface NodeHealth {
  /** From sending a request to the first byte of the answer; decays fast upwards, slowly downwards. Null before the first. */
  readonly latency: Milliseconds | null;
  /** When that was measured last; null if it was not in this life of this node. */
  readonly measured: MonotonicMs | null;
  /** What long answers bring, bytes in a second. Null before the first one. */
  readonly bandwidth: Bytes | null;
  /** When that was measured last; null if it was not in this life of this node. */
  readonly delivered: MonotonicMs | null;
  /** As it said itself, from 0; null if it never did. */
  readonly load: { readonly value: number; readonly at: MonotonicMs } | null;
  /** Requests of this node to it that are under way. */
  readonly underWay: number;
  /** `closed`: well; `open`: it failed, and nobody asks it for now; `probing`: one request finds out whether it is well again. */
  readonly breaker: 'closed' | 'open' | 'probing';
  /** What it failed with last; null if it is well. What it was blamed for (`false`) stays for a day, however it answers since. */
  readonly failure: { readonly reason: FailureReason; readonly at: EpochMs; readonly detail: string | null } | null;
  /** How much slower than at other times it usually is in this hour of the week: 1 for as fast. */
  readonly hourFactor: number;
}

/** `unreachable`: no connection; `silent`: nothing came in time; `broken`: the answer broke off; `status`: 5xx; `false`: it sent what cannot be true. */
export type FailureReason = 'unreachable' | 'silent' | 'broken' | 'status' | 'false';

/** What is asked, as far as the choice goes. */
export interface Question {
  /** The canonical URI. */
  readonly uri: string;
  /** Path inside the namespace, by which subsets are judged. */
  readonly path: string;
  /** What the answer will take, if that is known: for large ones bandwidth decides, for small ones latency. */
  readonly size: Bytes | null;
  /** Of the client, by which `sticky` chooses; empty if there is none. */
  readonly client: string;
  /** The node that the reader has chosen, by a URL of it, or `primary`; nobody else is asked then. */
  readonly from?: string | undefined;
  readonly now: MonotonicMs;
}

export interface Ranked {
  readonly candidate: Candidate;
  /** Lower is better; what it means is up to the policy, which says so. */
  readonly score: number;
}

export interface Skipped {
  readonly url: string;
  /** `breaker open: unreachable 3 s ago`, `holds another part`, `no longer active`, `without TLS`, … */
  readonly because: string;
}

export interface Choice {
  /**
   * In the order in which they are to be tried; the primary is among them. Those that look down are at its end, since all may
   * look so. Where a rule of the operator names a node, or else the reader has chosen one, there is that one alone.
   */
  readonly ranked: readonly Ranked[];
  /** Those that are left out, or come last because they look down, and why. */
  readonly skipped: readonly Skipped[];
}

/** Chooses among those who hold a namespace. */
export interface Chooser {
  choose(known: KnownNamespace, question: Question): Choice;
}

/** One way to order candidates: a pure function. What an operator's own module has as its default export. */
export type ChoicePolicy = (
  candidates: readonly Candidate[],
  question: Question,
  chance: () => number,
) => readonly Ranked[];
