import { parseItem } from '../../proxy/http/structured-fields.js';

/** The field with what proves an answer under the head in `WLIS-Head`. */
export const PROOF_FIELD = 'WLIS-Proof';

/** More than that of fields is refused by too many programs on the way; a verifier calls `proof` for what is longer. */
export const LONGEST_PROOF_FIELD = 12_288;

/** A Byte Sequence (RFC 9651 §3.3.5) with the text in UTF-8; null where that would be too long. @param text as `proofUnder` makes it */
export function proofField(text: string): string | null {
  if (text.length > LONGEST_PROOF_FIELD) return null;
  const value = `:${Buffer.from(text).toString('base64')}:`;
  return value.length > LONGEST_PROOF_FIELD ? null : value;
}

/** The text, of which nothing has been verified; null for all that `proofField` does not make. */
export function parseProofField(value: string | undefined): string | null {
  if (value === undefined || value.length > LONGEST_PROOF_FIELD) return null;
  const item = parseItem(value);
  if (!(item?.value instanceof ArrayBuffer)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(item.value);
  } catch {
    // bytes that are no text
    return null;
  }
}
