import { bytes, type Bytes } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import type { Fields } from '../http/fields.js';
import { parseContentLength } from '../http/framing.js';

/** The head of a final response, as received. */
export interface ReceivedHead {
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
  /** Null where the parser does not tell. */
  readonly version: '1.0' | '1.1' | null;
}

/** The content that a response has by its head: none at all, or a length, or null for "until its end". */
export type Content = { readonly kind: 'none' } | { readonly kind: 'some'; readonly length: Bytes | null };

/**
 * Checks what the parsers leave through, and tells the content of the response (RFC 9112 §6.3): exactly one transfer
 * coding, `chunked`; not in HTTP/1.0 (§6.1); a single valid Content-Length (§6.3 item 5); a reason phrase without
 * control characters (§4). Nothing is repaired.
 * @throws WillisError upstream-malformed
 */
export function contentOf(method: string, head: ReceivedHead): Content {
  const { status, fields } = head;
  if (status < 200 || status > 999) throw malformed(`status ${status}`);
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(head.reason)) throw malformed('control character in the reason phrase');
  const codings = fields.all('transfer-encoding');
  const lengths = fields.all('content-length');
  if (codings.length > 0) checkCodings(codings, lengths, head.version);
  const length = lengths.length === 1 ? parseContentLength(lengths[0] as string) : null;
  if (lengths.length > 0 && length === null) throw malformed('invalid or repeated Content-Length');
  if (method === 'HEAD' || status === 204 || status === 304) return { kind: 'none' };
  return { kind: 'some', length: length === null ? null : bytes(length) };
}

function checkCodings(codings: readonly string[], lengths: readonly string[], version: '1.0' | '1.1' | null): void {
  if (version === '1.0') throw malformed('Transfer-Encoding in an HTTP/1.0 response');
  if (lengths.length > 0) throw malformed('Content-Length beside Transfer-Encoding');
  if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') {
    throw malformed(`transfer coding ${codings.join(', ')}`);
  }
}

const malformed = (detail: string): WillisError => new WillisError('upstream-malformed', detail);
