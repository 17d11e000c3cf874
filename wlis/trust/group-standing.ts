import type { EpochMs } from '../../config/units.js';
import { compareEpochs, epochBegin } from './epoch.js';
import { groupPayload, type Group } from './group.js';
import type { GroupMember, Replica } from './group-member.js';
import { keyIdOf, type KeyId } from './public-key.js';

/** What a verified group is beside the newest one that is known. */
export type GroupJudgement =
  /** of a later version or epoch: take it */
  | 'newer'
  | 'same'
  /** true, but no news */
  | 'older'
  /** of an epoch that has ended */
  | 'ended-epoch'
  /** its signer stated something else under the same version */
  | 'equivocation'
  /** more than a day ahead of the clock: taken, nothing true could follow it */
  | 'ahead';

/** @param now by the own clock, corrected by what others say of the time */
export function judgeGroup(known: Group | null, offered: Group, now: EpochMs): GroupJudgement {
  const latest = Math.max(offered.version, offered.issued, epochBegin(offered.epoch));
  if (latest - now > aDay) return 'ahead';
  if (known === null) return 'newer';
  const epochs = compareEpochs(offered.epoch, known.epoch);
  if (epochs < 0) return 'ended-epoch';
  const order = epochs || offered.version - known.version;
  if (order !== 0) return order > 0 ? 'newer' : 'older';
  return groupPayload(offered) === groupPayload(known) ? 'same' : 'equivocation';
}

/** A version above the one before, whatever the clock says. @param previous the latest that is known */
export const nextGroupVersion = (previous: Group | null, now: EpochMs): number =>
  Math.max((previous?.version ?? 0) + 1, Math.trunc(now));

/**
 * The member of that name if it is to be given what only members get. A group that had expired when it was learned admits
 * nobody: it may have been kept to bring back one that was removed. One that expired since, because the primary is away,
 * goes on for the grace of the namespace.
 * @param learned when the group was taken
 */
export function admittedMember(group: Group, id: KeyId, learned: EpochMs, now: EpochMs): GroupMember | null {
  if (learned >= group.expires || now >= group.expires + group.policy.grace) return null;
  return [group.primary, ...activeReplicas(group, now)].find(({ key }) => keyIdOf(key) === id) ?? null;
}

/**
 * The replicas at which documents may be looked for, however old the group: what they send is verified anyway. Where none
 * newer is to be had after `refreshAfter`, nobody could renew a membership, so all stay who were active then. Those without a
 * URL only take.
 */
export const locatedReplicas = (group: Group, now: EpochMs): readonly Replica[] =>
  activeReplicas(group, now).filter(({ urls }) => urls.length > 0);

function activeReplicas(group: Group, now: EpochMs): readonly Replica[] {
  return group.replicas.filter((replica) => isActive(replica, group, now));
}

/** Whether `locatedReplicas` has a replica of the group, if that can be reached at all. */
export const isActive = ({ activeUntil }: Replica, { refreshAfter }: Group, now: EpochMs): boolean =>
  Math.min(now, refreshAfter) < activeUntil;

const aDay = 86_400_000;
