import { canonicalJson } from '../../wlis/trust/canonical-json.js';
import type { KeyId } from '../../wlis/trust/public-key.js';
import { nodeJson, type ReplicaNode } from './join-request.js';
import type { MemberTable } from './member-table.js';

/** How many replicas of a namespace are known at a time, be they active or not. */
export const mostMembers = 1024;

interface Joining {
  readonly id: KeyId;
  readonly node: ReplicaNode;
  readonly access: 'listed' | 'open';
}

/** Why there is no room in the group for a replica as it says that it is; null if there is. */
export function roomFault(table: MemberTable, { id, node, access }: Joining, mostOpen: number): string | null {
  const others = table.active().filter((member) => member.id !== id);
  const open = others.filter((member) => member.access === 'open').length;
  if (access === 'open' && open >= mostOpen) return `there are ${open} open replicas already`;
  if (others.length >= mostMembers) return `there are ${others.length} replicas already`;
  const length = others.reduce((sum, member) => sum + statedLength(member.node), statedLength(node));
  return length > longestStated ? `what the ${others.length} replicas say of themselves fills the statement` : null;
}

/** How much of a statement of the group a replica takes, in characters. */
const statedLength = (node: ReplicaNode): number => canonicalJson(nodeJson(node)).length + roomForRest;

/** `activeUntil`, `access`, `browsers` and `delegate`. */
const roomForRest = 100;
/** Characters of all replicas in a statement, which base64 makes a third longer and which has at most 1,048,576. */
const longestStated = 760_000;
