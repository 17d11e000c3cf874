import type { Namespace } from '../../wlis/namespace.js';
import type { SignedGroup } from '../../wlis/trust/group.js';
import type { KeyId, PublicKey } from '../../wlis/trust/public-key.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';
import { namespaceNamed, notReplicated } from '../calls/held-namespaces.js';
import type { ReceivedCall } from '../../wlis/calls/received-call.js';
import type { Hints } from './hints.js';
import type { ChildAnswer, ReplicaAnswer } from './join-answer.js';
import type { JoinRequest } from './join-request.js';
import type { ReplicaMembers } from './replica-members.js';

/** The place of this node in the tree of a namespace, as other nodes call upon it. */
export interface NamespaceTree {
  readonly namespace: Namespace;
  /** Null while none is known. */
  readonly group: SignedGroup | null;
  /** The key of that name, if it is of a member of the group. */
  memberKey(id: KeyId): PublicKey | null;
  /** Whether what members get is for anybody: strangers may join by themselves anyway. */
  readonly isOpen: boolean;
  /** `request` is of whoever has its key. @throws CallProblem */
  join(request: JoinRequest, signal: AbortSignal): Promise<ReplicaAnswer | ChildAnswer>;
  leave(id: KeyId): Promise<void>;
  /** Null at the primary, whom nobody tells of changes. */
  readonly hints: Hints | null;
  /** Null elsewhere than at the primary. */
  readonly members: ReplicaMembers | null;
}

export interface NamespaceTrees {
  /** Undefined if this node does not hold it. */
  get(namespace: Namespace): NamespaceTree | undefined;
}

/** The tree of what the call names in `namespace`. @throws CallProblem malformed-call, not-replicated */
export function treeIn(call: ReceivedCall, trees: NamespaceTrees): NamespaceTree {
  const namespace = namespaceNamed(call);
  const tree = trees.get(namespace);
  if (tree === undefined) throw notReplicated(namespace);
  return tree;
}

/** For `AnsweredNamespace.admits`: that the call is a member's, where only members are to be given it. @throws CallProblem 401 */
export function admitMember(tree: NamespaceTree, call: ReceivedCall): void {
  if (!tree.isOpen) call.signedBy((id) => tree.memberKey(id));
}

/** @throws CallProblem not-ready while none is known */
export function presentGroup({ group, namespace }: NamespaceTree): SignedGroup {
  if (group !== null) return group;
  throw new CallProblem(503, 'not-ready', `no group of ${namespace} is known to this node yet`, ['Retry-After', '5']);
}
