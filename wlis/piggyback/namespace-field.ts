import { Token } from '../../proxy/http/structured-fields.js';
import type { Namespace } from '../namespace.js';
import type { Version } from '../trust/epoch.js';
import { isNonce } from './have-field.js';
import { shortItem, toldNamespace, toldVersion } from './told-namespace.js';

/** The field that says which namespace an answer belongs to, and how far the node is that gave it. */
export const NAMESPACE_FIELD = 'WLIS-Namespace';

export interface ToldHolding {
  readonly namespace: Namespace;
  readonly role: 'primary' | 'replica';
  /** Of the head that is held; null if there is none. */
  readonly head: Version | null;
  /** That of the `WLIS-Have` that is answered; null if there was none. Without it the answer may be out of a cache. */
  readonly nonce: string | null;
}

/** `"http://docs.example.org/";role=replica;epoch="…";seq=812;n="…"`, what there is not being left out. */
export function namespaceField({ namespace, role, head, nonce }: ToldHolding): string {
  // neither a canonical URI nor an epoch has anything in it that a string would have to escape (RFC 9651 §3.3.3)
  const version = head === null ? '' : `;epoch="${head.epoch}";seq=${head.seq}`;
  return `"${namespace}";role=${role}${version}${nonce === null ? '' : `;n="${nonce}"`}`;
}

/** Null for all that `namespaceField` does not make; parameters that are not known are passed over. */
export function parseNamespaceField(value: string | undefined): ToldHolding | null {
  const item = shortItem(value);
  if (item === null) return null;
  const namespace = toldNamespace(item.value);
  const role = roleOf(item.params.get('role'));
  const head = toldVersion(item.params);
  const nonce = item.params.get('n') ?? null;
  if (namespace === null || role === null || head === undefined) return null;
  if (nonce !== null && !isNonce(nonce)) return null;
  return { namespace, role, head, nonce };
}

function roleOf(value: unknown): ToldHolding['role'] | null {
  const text = value instanceof Token ? value.toString() : null;
  return text === 'primary' || text === 'replica' ? text : null;
}
