import { epochMs, type EpochMs } from '../../config/units.js';
import type { Namespace } from '../namespace.js';
import { canonicalJson, parseCanonicalJson } from './canonical-json.js';
import { parseEpoch, type Epoch } from './epoch.js';
import { memberJson, parsePrimary, parseReplica, replicaJson, type GroupMember, type Replica } from './group-member.js';
import { openJws, type SigningKey } from './jws.js';
import { Members } from './members.js';
import { parsePolicy, policyJson, type NamespacePolicy } from './namespace-policy.js';
import { NotBelieved } from './not-believed.js';
import type { KeyId, PublicKey } from './public-key.js';

/** What a primary states of those who hold its namespace, and of the rules that hold for it. */
export interface Group {
  readonly namespace: Namespace;
  /** Of the change list that the primary goes on with. */
  readonly epoch: Epoch;
  /** Higher in every later statement (`nextGroupVersion`). */
  readonly version: number;
  readonly primary: GroupMember;
  /** In the order of their keys. */
  readonly replicas: readonly Replica[];
  readonly policy: NamespacePolicy;
  readonly issued: EpochMs;
  /** From when on a newer one should be asked for. */
  readonly refreshAfter: EpochMs;
  /** From when on it says where members are, and admits none to those who learn it only then. */
  readonly expires: EpochMs;
}

/** A group and the statement that says it. */
export interface SignedGroup {
  readonly group: Group;
  readonly jws: string;
}

/** @throws NotBelieved for what no reader would take */
export async function signGroup(group: Group, key: SigningKey): Promise<SignedGroup> {
  const payload = groupPayload(group);
  parseGroup(payload, group.namespace);
  const jws = await key.sign('wlis-group', payload);
  if (jws.length > longest) throw new NotBelieved('too-large', `group: its statement is longer than ${longest}`);
  return { group, jws };
}

/**
 * @param namespace of which the group has to be
 * @param keyFor the key of that name if it signs for the namespace
 * @throws NotBelieved malformed, too-large, wrong-subject, wrong-signature
 */
export async function openGroup(
  jws: string,
  namespace: Namespace,
  keyFor: (id: KeyId) => PublicKey | null,
): Promise<SignedGroup> {
  return { group: parseGroup(await openJws('wlis-group', jws, keyFor), namespace), jws };
}

/** The text that is signed. */
export const groupPayload = (group: Group): string =>
  canonicalJson({
    namespace: group.namespace,
    epoch: group.epoch,
    version: group.version,
    primary: memberJson(group.primary),
    replicas: group.replicas.map(replicaJson),
    policy: policyJson(group.policy),
    issued: group.issued,
    refreshAfter: group.refreshAfter,
    expires: group.expires,
  });

function parseGroup(payload: string, namespace: Namespace): Group {
  const members = new Members(parseCanonicalJson(payload, 'group', longest), 'group');
  if (members.value('namespace') !== namespace) throw new NotBelieved('wrong-subject', 'group: of another namespace');
  const time = (name: string): EpochMs => epochMs(members.integer(name, 0));
  const group: Group = {
    namespace,
    epoch: parseEpoch(members.text('epoch', 64), 'group'),
    version: members.integer('version', 1),
    primary: parsePrimary(members.value('primary'), namespace),
    replicas: members.list('replicas', mostReplicas).map((one) => parseReplica(one, namespace)),
    policy: parsePolicy(members.value('policy')),
    issued: time('issued'),
    refreshAfter: time('refreshAfter'),
    expires: time('expires'),
  };
  members.end();
  if (group.issued > group.refreshAfter || group.refreshAfter > group.expires) {
    throw wrong('issued, refreshAfter and expires are out of order');
  }
  checkKeys(group);
  return group;
}

function checkKeys({ primary, replicas }: Group): void {
  for (const [i, { key }] of replicas.entries()) {
    if (key === primary.key) throw wrong('the primary is among the replicas');
    if (i > 0 && key <= (replicas[i - 1] as Replica).key) throw wrong('replicas out of order');
  }
}

const wrong = (fault: string): NotBelieved => new NotBelieved('malformed', `group: ${fault}`);

const mostReplicas = 1024;
const longest = 1_048_576;
