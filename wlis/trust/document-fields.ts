import { toBase64url } from './base64url.js';
import { digestBytes } from './digest.js';
import type { DocumentRecord } from './record.js';
import type { Variant } from './variant.js';

/**
 * The fields of an answer with all of a document, as its record has them: the same at the primary and at every replica.
 * What is of the message and the node (`Date`, `Age`, framing) is not among them.
 * @param variant null where the record has none
 * @returns names, in lower case, and values in turns
 */
export function documentFields({ fields }: Pick<DocumentRecord, 'fields'>, variant: Variant | null): string[] {
  const lines = fields.flat();
  if (variant === null) return lines;
  const { type, coding, language, etag, lastModified, digest } = variant;
  if (type !== null) lines.push('content-type', type);
  if (coding !== null) lines.push('content-encoding', coding);
  if (language !== null) lines.push('content-language', language);
  if (etag !== null) lines.push('etag', etag);
  // what ECMAScript writes is an IMF-fixdate (RFC 9110 §5.6.7)
  if (lastModified !== null) lines.push('last-modified', new Date(lastModified).toUTCString());
  lines.push('repr-digest', `sha-256=:${inBase64(digestBytes(digest))}:`);
  return lines;
}

/** RFC 4648 §4, with padding, as Structured Fields have it (RFC 9651 §3.3.5). */
function inBase64(data: Uint8Array): string {
  const text = toBase64url(data).replaceAll('-', '+').replaceAll('_', '/');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}
