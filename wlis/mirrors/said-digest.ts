import type { Fields } from '../../proxy/http/fields.js';
import { parseDictionary } from '../../proxy/http/structured-fields.js';
import { digestFrom, type Digest } from '../trust/digest.js';

/**
 * The SHA-256 of the whole representation as an answer says it: `Repr-Digest` (RFC 9530 §3), `Digest` as it was before
 * that (RFC 3230), or, of an answer that has the whole, `Content-Digest` (RFC 9530 §2). Null if none says it, or two say
 * different ones.
 * @param hasAll whether the whole representation is its content
 */
export function reprDigestIn(fields: Fields, hasAll: boolean): Digest | null {
  const said = new Set<Digest>();
  for (const value of fields.all('digest')) addInstanceDigests(value, said);
  const names = hasAll ? ['repr-digest', 'content-digest'] : ['repr-digest'];
  for (const name of names) {
    const value = fields.get(name);
    const item = value === undefined ? undefined : parseDictionary(value)?.get('sha-256')?.value;
    if (item instanceof ArrayBuffer && item.byteLength === 32) said.add(digestFrom(new Uint8Array(item)));
  }
  const [one, ...more] = said;
  return one === undefined || more.length > 0 ? null : one;
}

/** `SHA-256=<base64>`, the name in any case, among others. */
function addInstanceDigests(value: string, said: Set<Digest>): void {
  for (const member of value.split(',')) {
    const base64 = /^\s*sha-256=([A-Za-z\d+/]{43}=)\s*$/i.exec(member)?.[1];
    if (base64 !== undefined) said.add(digestFrom(Buffer.from(base64, 'base64')));
  }
}
