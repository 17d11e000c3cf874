import type { Namespace } from '../../wlis/namespace.js';
import { canonicalJson, parseCanonicalJson, type JsonObject } from '../../wlis/trust/canonical-json.js';
import { parseEpoch } from '../../wlis/trust/epoch.js';
import { memberJson, parseMember, type GroupMember } from '../../wlis/trust/group-member.js';
import { Members } from '../../wlis/trust/members.js';
import { NotBelieved, quoted } from '../../wlis/trust/not-believed.js';
import { parseKeyId, type KeyId } from '../../wlis/trust/public-key.js';
import { parseSubset, subsetJson, type Subset } from '../../wlis/trust/subset.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { Epoch } from '../../wlis/trust/epoch.js';

/** What a replica says of itself when it joins, renews its membership, or reports what it holds now. */
export interface JoinRequest extends ReplicaNode {
  readonly held: HeldVersion | null;
  /** The node that it pulls from now; null if that is nobody. */
  readonly source: KeyId | null;
  /** The version of the group that it knows; a newer one is sent along. */
  readonly group: number | null;
  /** Of the operator of the primary, by which the node becomes a listed one. */
  readonly token: string | null;
}

/** A replica as it says that it is. */
export interface ReplicaNode extends GroupMember {
  readonly subset: Subset | null;
  /** When it pulls contents. */
  readonly update: 'immediately' | 'scheduled';
}

/** All changes up to that number are there, within the subset of the one who says so. */
export interface HeldVersion {
  readonly epoch: Epoch;
  readonly seq: number;
  readonly root: Digest;
}

export const joinRequestText = (request: JoinRequest): string =>
  canonicalJson({
    ...nodeJson(request),
    held: request.held === null ? undefined : heldJson(request.held),
    source: request.source ?? undefined,
    group: request.group ?? undefined,
    token: request.token ?? undefined,
  });

/** @throws NotBelieved malformed, too-large */
export function parseJoinRequest(text: string, namespace: Namespace): JoinRequest {
  const members = new Members(parseCanonicalJson(text, what, longestRequest), what);
  const request: JoinRequest = {
    ...parseNode(members, namespace),
    held: members.optional('held', () => parseHeld(members)) ?? null,
    source: members.optional('source', (name) => parseKeyId(members.text(name, 64), `${what}: 'source'`)) ?? null,
    group: members.optional('group', (name) => members.integer(name, 1)) ?? null,
    token: members.optional('token', (name) => members.text(name, longestToken)) ?? null,
  };
  members.end();
  return request;
}

/** What is kept and sent of the node itself. */
export const nodeJson = (node: ReplicaNode): JsonObject => ({
  ...memberJson(node),
  subset: node.subset === null ? undefined : subsetJson(node.subset),
  update: node.update,
});

/** @throws NotBelieved malformed, too-large */
export function parseNode(members: Members, namespace: Namespace): ReplicaNode {
  const update = members.text('update', 16);
  if (update !== 'immediately' && update !== 'scheduled') {
    throw new NotBelieved('malformed', `${members.what}: 'update' is ${quoted(update)}`);
  }
  const subset = members.optional('subset', (name) => parseSubset(members.value(name), members.what)) ?? null;
  return { ...parseMember(members, namespace), subset, update };
}

export const heldJson = ({ epoch, seq, root }: HeldVersion): JsonObject => ({ epoch, seq, root });

/** The member `held`. @throws NotBelieved malformed */
export function parseHeld(members: Members): HeldVersion {
  const held = new Members(members.value('held'), `${members.what}: 'held'`);
  const version: HeldVersion = {
    epoch: parseEpoch(held.text('epoch', 64), held.what),
    seq: held.integer('seq', 0),
    root: held.digest('root'),
  };
  held.end();
  return version;
}

const what = 'membership';
/** In characters. */
export const longestToken = 512;
/** The longest request, in characters. */
const longestRequest = 8192;
