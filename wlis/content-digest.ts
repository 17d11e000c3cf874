import { createHash, timingSafeEqual } from 'node:crypto';
import { parseDictionary } from '../proxy/http/structured-fields.js';

/** The value of Content-Digest for that content (RFC 9530 §2), by SHA-256. */
export const contentDigest = (content: Uint8Array): string => `sha-256=:${digestOf(content).toString('base64')}:`;

/** Whether a Content-Digest says that content's SHA-256, be it beside digests of other kinds. */
export function isContentDigest(value: string, content: Uint8Array): boolean {
  const said = parseDictionary(value)?.get('sha-256')?.value;
  if (!(said instanceof ArrayBuffer) || said.byteLength !== 32) return false;
  return timingSafeEqual(new Uint8Array(said), digestOf(content));
}

const digestOf = (content: Uint8Array): Buffer => createHash('sha256').update(content).digest();
