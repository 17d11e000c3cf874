import { epochMs, milliseconds, type EpochMs, type Milliseconds } from '../../config/units.js';
import type { Namespace } from '../../wlis/namespace.js';
import { canonicalJson, parseCanonicalJson, type Json, type JsonObject } from '../../wlis/trust/canonical-json.js';
import { parseNodeUrl } from '../../wlis/trust/group-member.js';
import { Members } from '../../wlis/trust/members.js';
import { NotBelieved, quoted } from '../../wlis/trust/not-believed.js';
import { parseKeyId, type KeyId } from '../../wlis/trust/public-key.js';

/** A node that documents can be pulled from. */
export interface TreeNode {
  readonly id: KeyId;
  readonly url: string;
}

/** The primary has taken the replica into its group. */
export interface ReplicaAnswer {
  readonly as: 'replica';
  /** By the clock of the primary. */
  readonly activeUntil: EpochMs;
  /** When it should be asked again. */
  readonly renewAfter: Milliseconds;
  /** Steps to the primary. */
  readonly depth: number;
  readonly parent: TreeNode;
  /** Those above the parent, the nearest first; the last one is the primary, unless that is the parent. */
  readonly ancestors: readonly TreeNode[];
  /** The statement of the group, if the replica did not know it. */
  readonly group: string | null;
}

/** A node that is not the primary tells the caller of changes from now on. */
export interface ChildAnswer {
  readonly as: 'child';
  readonly renewAfter: Milliseconds;
}

export function joinAnswerText(answer: ReplicaAnswer | ChildAnswer): string {
  const { as, renewAfter } = answer;
  if (answer.as === 'child') return canonicalJson({ as, renewAfter });
  const { activeUntil, depth, parent, ancestors, group } = answer;
  return canonicalJson({
    ...{ as, renewAfter, activeUntil, depth },
    parent: nodeJson(parent),
    ancestors: ancestors.map(nodeJson),
    group: group ?? undefined,
  });
}

/** @throws NotBelieved malformed, too-large */
export function parseJoinAnswer(text: string, namespace: Namespace): ReplicaAnswer | ChildAnswer {
  const members = new Members(parseCanonicalJson(text, what, longestAnswer), what);
  const as = members.text('as', 16);
  const renewAfter = milliseconds(members.integer('renewAfter', leastRenewal, mostRenewal));
  if (as === 'child') {
    members.end();
    return { as, renewAfter };
  }
  if (as !== 'replica') throw new NotBelieved('malformed', `${what}: 'as' is ${quoted(as)}`);
  const node = (value: Json): TreeNode => parseTreeNode(value, namespace);
  const answer: ReplicaAnswer = {
    ...{ as, renewAfter },
    activeUntil: epochMs(members.integer('activeUntil', 0, latestTime)),
    depth: members.integer('depth', 1, mostAncestors + 1),
    parent: node(members.value('parent')),
    ancestors: members.list('ancestors', mostAncestors).map(node),
    group: members.optional('group', (name) => members.text(name, longestGroup)) ?? null,
  };
  members.end();
  return answer;
}

export const nodeJson = ({ id, url }: TreeNode): JsonObject => ({ id, url });

/** @throws NotBelieved malformed, too-large */
export function parseTreeNode(value: Json, namespace: Namespace): TreeNode {
  const members = new Members(value, `${what}: node`);
  const id = parseKeyId(members.text('id', 64), members.what);
  const url = parseNodeUrl(members.value('url'), namespace);
  members.end();
  return { id, url };
}

const what = 'answer to a membership';
/** Of what can be written as a date. */
const latestTime = 8_640_000_000_000_000;
const leastRenewal = 1000;
const mostRenewal = 86_400_000;
const mostAncestors = 16;
const longestGroup = 1_048_576;
export const longestAnswer = longestGroup + 32_768;
