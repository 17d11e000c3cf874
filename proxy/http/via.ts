import { splitList, type Fields } from './fields.js';

/** This node, as it shows itself to others. */
export interface NodeIdentity {
  /** Chosen by the operator; nodes that serve the same purpose may share it. */
  readonly name: string;
  /** A random identifier of this process, in letters, digits and hyphens. */
  readonly instance: string;
}

/**
 * This node's member of `Via` (RFC 9110 §7.6.3), for a message received in that version: `1.1 berlin-1 (Willis 3f2a9c)`.
 * The comment lets the node know itself again where `CDN-Loop` was removed.
 */
export function viaEntry(version: string, node: NodeIdentity): string {
  const spelling = spelled(node);
  // one string for all the messages that are kept
  return version === '1.1' ? spelling.via : `${version} ${spelling.receivedBy}`;
}

/** This node's member of `CDN-Loop` (RFC 8586): `berlin-1;n=3f2a9c`. */
export const cdnLoopEntry = (node: NodeIdentity): string => spelled(node).cdnLoop;

/** Whether this very process has forwarded the request before, by its `CDN-Loop` or its `Via`. */
export function isLoop(fields: Fields, node: NodeIdentity): boolean {
  const passed = fields.get('cdn-loop');
  if (passed !== undefined && splitList(passed).some((member) => isOwn(member, node))) return true;
  return fields.get('via')?.includes(spelled(node).receivedBy) ?? false;
}

/** The name as a token (RFC 9110 §5.6.2): every other character becomes a hyphen. */
export const pseudonym = (name: string): string => name.replace(/[^\w!#$%&'*+.^`|~-]/g, '-') || '-';

interface Spelling {
  readonly receivedBy: string;
  /** For messages received in HTTP/1.1. */
  readonly via: string;
  readonly cdnLoop: string;
}

const spellings = new WeakMap<NodeIdentity, Spelling>();

/** How a node writes itself; the same for each message. */
function spelled(node: NodeIdentity): Spelling {
  let spelling = spellings.get(node);
  if (spelling === undefined) {
    const [name, instance] = [pseudonym(node.name), pseudonym(node.instance)];
    const receivedBy = `${name} (Willis ${instance})`;
    spelling = { receivedBy, via: `1.1 ${receivedBy}`, cdnLoop: `${name};n=${instance}` };
    spellings.set(node, spelling);
  }
  return spelling;
}

/** `cdn-info = cdn-id *( OWS ";" OWS parameter )` (RFC 8586 §2). */
function isOwn(cdnInfo: string, node: NodeIdentity): boolean {
  const [id = '', ...parameters] = cdnInfo.split(';').map((part) => part.trim());
  if (id.toLowerCase() !== pseudonym(node.name).toLowerCase()) return false;
  const instance = pseudonym(node.instance);
  return parameters.some((parameter) => parameter === `n=${instance}` || parameter === `n="${instance}"`);
}
