import type { Logger } from '../../proxy/base/logger.js';
import type { Group } from '../../wlis/trust/group.js';
import { keyIdOf, type KeyId } from '../../wlis/trust/public-key.js';
import { MemberLog } from '../tree/member-log.js';
import type { StoredMember } from '../tree/stored-member.js';

/**
 * Writes what a primary knows of its replicas that takes the place of another: all that the group names, so that they are told
 * of it, and admitted as they were. Nothing may have the log open.
 * @param self this node, which is a replica no more
 * @returns how many there are, and whether anybody could join by himself
 */
export async function keepMembers(
  path: string,
  { namespace, replicas, version }: Pick<Group, 'namespace' | 'replicas' | 'version'>,
  self: KeyId,
  logger: Logger,
): Promise<{ readonly count: number; readonly isOpen: boolean }> {
  const members = replicas
    .map(({ key, urls, place, capacity, subset, access, activeUntil }): StoredMember => ({
      id: keyIdOf(key),
      node: { key, urls, place, capacity, subset, update: 'immediately' },
      // be it by a list or by a token: neither is known here
      ...{ access, hadToken: access === 'listed', activeUntil },
      ...{ held: null, source: null, parent: undefined },
    }))
    .filter(({ id }) => id !== self);
  const { log } = await MemberLog.open({ path, namespace, logger });
  try {
    await log.keep([{ kind: 'group', version }, ...members.map((member) => ({ kind: 'member', member }) as const)]);
  } finally {
    await log.close();
  }
  return { count: members.length, isOpen: replicas.some(({ access }) => access === 'open') };
}
