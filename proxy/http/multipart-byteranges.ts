import { bytes, type Bytes } from '../../config/units.js';
import { BufferedBody, ConcatenatedBody, type Body } from './body.js';
import { formatContentRange, type ByteRange } from './range.js';

/** One part: a range, and how its bytes are had. */
export interface RangePart {
  readonly range: ByteRange;
  /** Gives exactly the bytes of the range. */
  open(): Body;
}

export interface MultipartByteranges {
  /** For the response's `Content-Type`. */
  readonly contentType: string;
  /** Of the whole content, for `Content-Length`. */
  readonly length: Bytes;
  /** Owned by the caller. */
  readonly body: Body;
}

/**
 * The content of a 206 with several parts (RFC 9110 §14.6, RFC 2046 §5.1), streamed:
 *
 *     --boundary CRLF  Content-Type: … CRLF  Content-Range: … CRLF CRLF  bytes CRLF  --boundary …  --boundary-- CRLF
 *
 * All parts are opened now, so that one which cannot be is known before anything is sent; what `open` throws comes
 * through, with the parts opened before it cancelled.
 *
 * @param length of the whole representation
 * @param contentType of the representation, null if it has none
 * @param boundary 1 to 70 letters, digits and hyphens that the content's author cannot guess
 */
export function multipartByteranges(
  parts: readonly RangePart[],
  length: Bytes,
  contentType: string | null,
  boundary: string,
): MultipartByteranges {
  const type = contentType === null ? '' : `Content-Type: ${contentType}\r\n`;
  const pieces: Body[] = [];
  let total = 0;
  const openings = openAll(parts);
  for (const [i, { range }] of parts.entries()) {
    const delimiter = `${i === 0 ? '' : '\r\n'}--${boundary}\r\n`;
    const head = latin1(`${delimiter}${type}Content-Range: ${formatContentRange(range, length)}\r\n\r\n`);
    pieces.push(new BufferedBody([head]), openings[i] as Body);
    total += head.length + range.to - range.from;
  }
  const end = latin1(`\r\n--${boundary}--\r\n`);
  pieces.push(new BufferedBody([end]));
  return {
    contentType: `multipart/byteranges; boundary=${boundary}`,
    length: bytes(total + end.length),
    body: new ConcatenatedBody(pieces),
  };
}

function openAll(parts: readonly RangePart[]): Body[] {
  const opened: Body[] = [];
  try {
    for (const part of parts) opened.push(part.open());
  } catch (error) {
    for (const body of opened) body.cancel();
    throw error;
  }
  return opened;
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
