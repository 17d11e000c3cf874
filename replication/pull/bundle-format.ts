import { bytes, type Bytes } from '../../config/units.js';
import type { CanonicalUri } from '../../wlis/canonical-uri.js';
import { toBase64url } from '../../wlis/trust/base64url.js';
import { digestBytes } from '../../wlis/trust/digest.js';
import type { Version } from '../../wlis/trust/epoch.js';
import type { Variant } from '../../wlis/trust/variant.js';

/**
 * Many short contents in one answer, in the order of the changes that they belong to: `multipart/mixed` (RFC 2046 §5.1) of
 * `application/http` (RFC 9112 §10.2), after the paper's "Multipart MIME" messages (§4). No preamble, nothing behind the end,
 * every line ended by CRLF:
 *
 *     --boundary
 *     Content-Type: application/http;msgtype=response
 *
 *     HTTP/1.1 200 OK
 *     Content-Length: 1234
 *     Content-Location: https://docs.example.org/manual/
 *     Content-Type: text/html
 *     Repr-Digest: sha-256=:…:
 *     WLIS-Seq: 812;epoch="1700000000000-0123456789abcdef"
 *
 *     1234 bytes
 *     --boundary
 *     …
 *     --boundary--
 *
 * `WLIS-Seq`: all changes up to that number are in what has come so far, this part included, but for contents that are longer
 * than 64 KiB, that came before in the same bundle, or that the sender does not have. A document with several variants
 * therefore has the number before its own until its last part. Readers go on behind the last number that came: as `since` it
 * has no root (`ListPosition.root` null), for which there is nothing to compare.
 */
export interface BundlePart {
  /** Null where it has none that a field can have: the answer for all that is not there. */
  readonly uri: CanonicalUri | null;
  readonly variant: Pick<Variant, 'type' | 'coding' | 'language' | 'digest'>;
  /** What goes into `WLIS-Seq`. */
  readonly upTo: Version;
  /** At most `LONGEST_BUNDLED`. */
  readonly content: Buffer;
}

/** Of one content. */
export const LONGEST_BUNDLED = bytes(65_536);

/** Of the head of a part, and of that of the response in it: a URI of 16,384 characters fits in. */
export const LONGEST_BUNDLED_HEAD = bytes(24_576);

/**
 * The least that may be asked for as `maxBytes`, which counts the multipart with its framing, before any content coding: one
 * part always fits in.
 */
export const LEAST_BUNDLE = bytes(131_072);

/** For the answer's Content-Type. @param boundary 1 to 70 letters, digits and hyphens that no author of a content can guess */
export const bundleMediaType = (boundary: string): string => `multipart/mixed; boundary=${boundary}`;

/** One part as it is sent. @throws RangeError for a content that is too long */
export function bundlePart({ uri, variant, upTo, content }: BundlePart, boundary: string): readonly Buffer[] {
  if (content.length > LONGEST_BUNDLED) throw new RangeError(`a content of ${content.length} bytes in a bundle`);
  const { type, coding, language, digest } = variant;
  const lines = [
    `--${boundary}`,
    'Content-Type: application/http;msgtype=response',
    '',
    'HTTP/1.1 200 OK',
    `Content-Length: ${content.length}`,
    ...(uri === null ? [] : [`Content-Location: ${uri}`]),
    ...(type === null ? [] : [`Content-Type: ${type}`]),
    ...(coding === null ? [] : [`Content-Encoding: ${coding}`]),
    ...(language === null ? [] : [`Content-Language: ${language}`]),
    `Repr-Digest: sha-256=:${inBase64(digestBytes(digest))}:`,
    `WLIS-Seq: ${upTo.seq};epoch="${upTo.epoch}"`,
    '',
    '',
  ];
  return [latin1(lines.join('\r\n')), content, lineEnd];
}

/** What stands behind the last part; of a bundle without any it is all. */
export const bundleEnd = (boundary: string): Buffer => latin1(`--${boundary}--\r\n`);

/** How long the pieces of a part are together, as `maxBytes` counts. */
export const sizeOfPart = (pieces: readonly Buffer[]): Bytes =>
  bytes(pieces.reduce((sum, { length }) => sum + length, 0));

function inBase64(data: Uint8Array): string {
  const text = toBase64url(data).replaceAll('-', '+').replaceAll('_', '/');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const lineEnd = latin1('\r\n');
