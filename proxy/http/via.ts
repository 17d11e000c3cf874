import type { Fields } from './fields.js';

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
export const viaEntry = (version: string, node: NodeIdentity): string => `${version} ${spelled(node).via}`;

/** The fields with a member of `Via` after those received, on a line of its own. */
export const plusVia = (fields: Fields, entry: string): Fields => fields.plus('Via', entry);

/** The fields with this node's member of `CDN-Loop` (RFC 8586), `berlin-1;n=3f2a9c`, after those received. */
export const plusCdnLoop = (fields: Fields, node: NodeIdentity): Fields =>
  fields.plus('CDN-Loop', spelled(node).cdnLoop);

/** Whether this very process has forwarded the request before, by its `CDN-Loop` or its `Via`. */
export function isLoop(fields: Fields, node: NodeIdentity): boolean {
  if (fields.list('cdn-loop').some((member) => isOwn(member, node))) return true;
  return fields.get('via')?.includes(spelled(node).via) ?? false;
}

/** The name as a token (RFC 9110 §5.6.2): every other character becomes a hyphen. */
export const pseudonym = (name: string): string => name.replace(/[^\w!#$%&'*+.^`|~-]/g, '-') || '-';

const spellings = new WeakMap<NodeIdentity, { readonly via: string; readonly cdnLoop: string }>();

/** How a node writes itself; the same for each message. */
function spelled(node: NodeIdentity): { readonly via: string; readonly cdnLoop: string } {
  let spelling = spellings.get(node);
  if (spelling === undefined) {
    const [name, instance] = [pseudonym(node.name), pseudonym(node.instance)];
    spelling = { via: `${name} (Willis ${instance})`, cdnLoop: `${name};n=${instance}` };
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
