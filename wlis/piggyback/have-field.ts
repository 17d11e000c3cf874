import type { Namespace } from '../namespace.js';
import type { Version } from '../trust/epoch.js';
import { isCount, shortItem, toldNamespace, toldVersion } from './told-namespace.js';

/** The request field by which a client says what it knows already. */
export const HAVE_FIELD = 'WLIS-Have';

export interface ToldKnowledge {
  readonly namespace: Namespace;
  /** Version of the statement of the group; null if none is known. */
  readonly group: number | null;
  /** Of the newest head; null if none is known. */
  readonly head: Version | null;
  /** Random: what does not echo it came out of a cache (protocol decision 15). 8 to 64 characters of base64url. */
  readonly nonce: string;
}

/** `"http://docs.example.org/";group=17;epoch="…";seq=812;n="…"`, what is not known being left out. */
export function haveField({ namespace, group, head, nonce }: ToldKnowledge): string {
  const known = group === null ? '' : `;group=${group}`;
  const version = head === null ? '' : `;epoch="${head.epoch}";seq=${head.seq}`;
  return `"${namespace}"${known}${version};n="${nonce}"`;
}

/** Null for all that `haveField` does not make; parameters that are not known are passed over. */
export function parseHaveField(value: string | undefined): ToldKnowledge | null {
  const item = shortItem(value);
  if (item === null) return null;
  const namespace = toldNamespace(item.value);
  const group = item.params.get('group') ?? null;
  const head = toldVersion(item.params);
  const nonce = item.params.get('n');
  if (namespace === null || head === undefined || !isNonce(nonce)) return null;
  if (group !== null && (!isCount(group) || group === 0)) return null;
  return { namespace, group, head, nonce };
}

/** As `n` is made. */
export const isNonce = (value: unknown): value is string =>
  typeof value === 'string' && /^[A-Za-z0-9_-]{8,64}$/.test(value);
