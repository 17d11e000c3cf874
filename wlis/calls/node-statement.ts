import type { CallKey } from '../call-key.js';
import { fromBase64url, toBase64url } from '../trust/base64url.js';
import { canonicalJson, parseCanonicalJson } from '../trust/canonical-json.js';
import { memberJson, parseMember, type GroupMember } from '../trust/group-member.js';
import { openJws } from '../trust/jws.js';
import { Members } from '../trust/members.js';
import { NotBelieved, quoted } from '../trust/not-believed.js';
import { keyIdOf } from '../trust/public-key.js';

/** What a node says of itself. */
export interface NodeStatement extends GroupMember {
  /** For people. */
  readonly name: string;
  readonly roles: readonly NodeRole[];
}

export type NodeRole = (typeof nodeRoles)[number];

const nodeRoles = ['primary', 'replicated', 'wlis-directory', 'client-side'] as const;

/** The version of docs/protocol.md. */
export const PROTOCOL_VERSION = 1;

/** @param nonce of the one who asked for it */
export function signNodeStatement(statement: NodeStatement, nonce: string, key: CallKey): string {
  const { name, roles } = statement;
  const payload = canonicalJson({ ...memberJson(statement), name, nonce, protocol: PROTOCOL_VERSION, roles });
  parseStatement(payload, nonce);
  const head = canonicalJson({ alg: 'EdDSA', kid: key.id, typ: 'wlis-node' });
  const signed = `${inBase64url(head)}.${inBase64url(payload)}`;
  return `${signed}.${toBase64url(key.sign(signed))}`;
}

/**
 * Reads what a node says of itself: signed by the key that it says is its own, in answer to that nonce. Whether it is the node
 * that was meant is for the caller to judge by the key.
 * @throws NotBelieved
 */
export async function openNodeStatement(jws: string, nonce: string): Promise<NodeStatement> {
  if (jws.length > LONGEST_NODE_STATEMENT) throw new NotBelieved('too-large', 'node: a statement that is too long');
  const payload = fromBase64url(jws.split('.')[1] ?? '');
  if (payload === null) throw new NotBelieved('malformed', 'node: no JWS in compact form');
  const statement = parseStatement(new TextDecoder().decode(payload), nonce);
  const own = keyIdOf(statement.key);
  await openJws('wlis-node', jws, (id) => (id === own ? statement.key : null));
  return statement;
}

/** In characters. */
export const LONGEST_NODE_STATEMENT = 16_384;

function parseStatement(text: string, nonce: string): NodeStatement {
  const members = new Members(parseCanonicalJson(text, 'node', LONGEST_NODE_STATEMENT), 'node');
  const answered = members.text('nonce', 64);
  if (answered !== nonce) throw new NotBelieved('out-of-date', `node: an answer to the nonce ${quoted(answered)}`);
  members.integer('protocol', PROTOCOL_VERSION, PROTOCOL_VERSION);
  const name = members.text('name', 256);
  const roles = members.list('roles', nodeRoles.length).map((value) => {
    const role = nodeRoles.find((one) => one === value);
    if (role === undefined) throw new NotBelieved('malformed', "node: 'roles' has one that is not known");
    return role;
  });
  const statement = { ...parseMember(members, null), name, roles };
  members.end();
  return statement;
}

const inBase64url = (text: string): string => toBase64url(new TextEncoder().encode(text));
