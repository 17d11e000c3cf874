import type { ReplicaReport } from './namespace-report.js';

/** A place in the change list of a namespace. */
export interface ListVersion {
  readonly epoch: string;
  readonly seq: number;
}

/**
 * `in-step`: it holds the version, or a later one of its epoch; `behind`: it does not yet; `silent`: it was not heard of in
 * time, so that it is no member of the group for the moment, and nobody waits for it.
 */
export type ReplicaStanding = 'in-step' | 'behind' | 'silent';

/** How a replica stands beside a version of the primary. */
export function standingOf(replica: Pick<ReplicaReport, 'held' | 'isActive'>, version: ListVersion): ReplicaStanding {
  if (!replica.isActive) return 'silent';
  return holds(replica, version) ? 'in-step' : 'behind';
}

/** Whether a replica has said that it holds a version, or a later one of its epoch. */
export const holds = ({ held }: Pick<ReplicaReport, 'held'>, { epoch, seq }: ListVersion): boolean =>
  held !== null && held.epoch === epoch && held.seq >= seq;

/** How many replicas stand in each way. */
export function standings(
  replicas: readonly Pick<ReplicaReport, 'held' | 'isActive'>[],
  version: ListVersion,
): Readonly<Record<ReplicaStanding, number>> {
  const counts = { 'in-step': 0, behind: 0, silent: 0 };
  for (const replica of replicas) counts[standingOf(replica, version)]++;
  return counts;
}
