import { epochMs, type EpochMs } from '../../config/units.js';
import type { Namespace } from '../../wlis/namespace.js';
import { canonicalJson, parseCanonicalJson } from '../../wlis/trust/canonical-json.js';
import { Members } from '../../wlis/trust/members.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { keyIdOf, parseKeyId, type KeyId } from '../../wlis/trust/public-key.js';
import { heldJson, nodeJson, parseHeld, parseNode, type HeldVersion, type ReplicaNode } from './join-request.js';

/** A replica as the primary knows it beyond its own end. */
export interface StoredMember {
  readonly id: KeyId;
  readonly node: ReplicaNode;
  readonly access: 'listed' | 'open';
  /** It had the token, and stays listed without being in the configuration. */
  readonly hadToken: boolean;
  /** 0 if it has left, or was not heard of in time. */
  readonly activeUntil: EpochMs;
  readonly held: HeldVersion | null;
  /** The node that it pulls from, as it said. */
  readonly source: KeyId | null;
  /** Its place in the tree: null for the primary, undefined if it has none. */
  readonly parent: KeyId | null | undefined;
}

/** A line of the log of members. */
export type MemberLine =
  | { readonly kind: 'member'; readonly member: StoredMember }
  | { readonly kind: 'gone'; readonly id: KeyId }
  /** A statement of the group of this version may be about. */
  | { readonly kind: 'group'; readonly version: number };

export function memberLineText(line: MemberLine): string {
  if (line.kind === 'gone') return canonicalJson({ kind: 'gone/1', id: line.id });
  if (line.kind === 'group') return canonicalJson({ kind: 'group/1', version: line.version });
  const { node, access, hadToken, activeUntil, held, source, parent } = line.member;
  return canonicalJson({
    ...{ kind: 'member/1', node: nodeJson(node), access, activeUntil },
    hadToken: hadToken || undefined,
    held: held === null ? undefined : heldJson(held),
    source: source ?? undefined,
    parent: parent === null ? 'primary' : parent,
  });
}

/** @throws NotBelieved malformed */
export function parseMemberLine(text: string, namespace: Namespace): MemberLine {
  const members = new Members(parseCanonicalJson(text, what, longestLine), what);
  const kind = members.text('kind', 16);
  const line = parsers[kind]?.(members, namespace);
  if (line === undefined) throw new NotBelieved('malformed', `${what}: of an unknown kind`);
  members.end();
  return line;
}

const parsers: Readonly<Record<string, (members: Members, namespace: Namespace) => MemberLine>> = {
  'gone/1': (members) => ({ kind: 'gone', id: idIn(members, 'id') }),
  'group/1': (members) => ({ kind: 'group', version: members.integer('version', 1) }),
  'member/1': (members, namespace) => ({ kind: 'member', member: parseMember(members, namespace) }),
};

function parseMember(members: Members, namespace: Namespace): StoredMember {
  const of = new Members(members.value('node'), `${what}: node`);
  const node = parseNode(of, namespace);
  of.end();
  const access = members.text('access', 16);
  if (access !== 'listed' && access !== 'open') throw new NotBelieved('malformed', `${what}: 'access'`);
  const parent = members.optional('parent', (name) => (members.value(name) === 'primary' ? null : idIn(members, name)));
  return {
    ...{ id: keyIdOf(node.key), node, access, parent },
    hadToken: members.optional('hadToken', (name) => members.flag(name)) ?? false,
    activeUntil: epochMs(members.integer('activeUntil', 0)),
    held: members.optional('held', () => parseHeld(members)) ?? null,
    source: members.optional('source', (name) => idIn(members, name)) ?? null,
  };
}

const idIn = (members: Members, name: string): KeyId => parseKeyId(members.text(name, 64), `${what}: '${name}'`);

const what = 'log of members';
const longestLine = 16_384;
