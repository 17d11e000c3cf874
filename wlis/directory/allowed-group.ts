import type { GroupMember } from '../trust/group-member.js';
import { NotBelieved } from '../trust/not-believed.js';
import type { SignedGroup } from '../trust/group.js';

/** A group as this node goes by it: without URLs at which its nodes may not be (protocol, rule 12). */
export interface AllowedGroup {
  readonly signed: SignedGroup;
  /** Those that were left out. */
  readonly refused: readonly string[];
}

/**
 * The statement stays what it is; what is left out is not asked by this node.
 * @throws NotBelieved wrong-subject if the primary would be nowhere
 */
export function allowedGroup(signed: SignedGroup, allows: (url: string) => boolean): AllowedGroup {
  const refused: string[] = [];
  const without = <T extends GroupMember>(member: T): T => {
    if (member.urls.every(allows)) return member;
    refused.push(...member.urls.filter((url) => !allows(url)));
    return { ...member, urls: member.urls.filter(allows) };
  };
  const primary = without(signed.group.primary);
  if (primary.urls.length === 0) {
    const where = signed.group.primary.urls.join(', ').slice(0, 200);
    throw new NotBelieved('wrong-subject', `group: its primary would be at ${where}, where no node of it may be`);
  }
  const replicas = signed.group.replicas.map(without);
  if (refused.length === 0) return { signed, refused };
  return { signed: { jws: signed.jws, group: { ...signed.group, primary, replicas } }, refused };
}
