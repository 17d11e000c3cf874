import type { EpochMs } from '../../config/units.js';
import type { Namespace } from '../namespace.js';
import type { GroupMember } from '../trust/group-member.js';
import type { Group, SignedGroup } from '../trust/group.js';
import { isActive } from '../trust/group-standing.js';
import { keyIdOf, type KeyId } from '../trust/public-key.js';
import { subsetTest, type SubsetTest } from './subset-test.js';

/** One of a group whom documents may be asked of. */
export interface AskableMember {
  readonly member: GroupMember;
  readonly key: KeyId;
  readonly role: 'primary' | 'replica';
  /** Those by which the namespace may be carried (protocol, rule 13), the preferred one first. */
  readonly urls: readonly string[];
  readonly holds: SubsetTest;
  /** Whether it counts among the group now. */
  readonly isActive: (now: EpochMs) => boolean;
}

/** Members of a statement of a group, worked out once for all who choose by it. */
export function askableMembers(signed: SignedGroup): readonly AskableMember[] {
  const known = worked.get(signed);
  if (known !== undefined) return known;
  const members = membersOf(signed.group);
  worked.set(signed, members);
  return members;
}

const worked = new WeakMap<SignedGroup, readonly AskableMember[]>();

function membersOf(group: Group): readonly AskableMember[] {
  const { namespace, primary, replicas } = group;
  return [
    { ...askable(primary, namespace), role: 'primary', holds: () => true, isActive: () => true },
    ...replicas.map((replica): AskableMember => {
      return {
        ...askable(replica, namespace),
        role: 'replica',
        holds: subsetTest(replica.subset),
        isActive: (now) => isActive(replica, group, now),
      };
    }),
  ];
}

const askable = (member: GroupMember, namespace: Namespace): Pick<AskableMember, 'member' | 'key' | 'urls'> => ({
  member,
  key: keyIdOf(member.key),
  urls: namespace.startsWith('https:') ? member.urls.filter((url) => url.startsWith('https:')) : member.urls,
});
