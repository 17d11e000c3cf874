import { epochMs, type EpochMs, type MonotonicMs } from '../../config/units.js';
import type { Replica } from '../../wlis/trust/group-member.js';
import type { KeyId } from '../../wlis/trust/public-key.js';
import type { AdmissionRules, ReplicaRights } from './admission.js';
import type { ToldNode } from './children.js';
import type { Member } from './member-table.js';

export interface ViewTime {
  readonly now: MonotonicMs;
  readonly wall: EpochMs;
}

/** The replicas as a statement of the group names them, in the order of their keys. */
export const statedReplicas = (
  members: readonly Member[],
  rights: AdmissionRules['rights'],
  time: ViewTime,
): readonly Replica[] =>
  members
    .map(({ id, node: { key, urls, place, capacity, subset }, access, until }) => ({
      ...{ key, urls, place, capacity, subset, access },
      activeUntil: wallTime(until, time),
      ...(access === 'open' ? noRights : rights(id)),
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));

/** Those whom the primary itself tells of changes: who is placed below it, and who pulls from it. */
export const toldByPrimary = (members: readonly Member[], primary: KeyId): readonly ToldNode[] =>
  members.flatMap(({ id, node: { urls }, source, parent }) =>
    urls.length > 0 && (parent === null || source === primary) ? [{ id, urls }] : [],
  );

/** 0 for never. */
export const wallTime = (until: MonotonicMs | null, { now, wall }: ViewTime): EpochMs =>
  epochMs(until === null ? 0 : Math.trunc(wall + (until - now)));

const noRights: ReplicaRights = { browsers: false, delegate: false };
