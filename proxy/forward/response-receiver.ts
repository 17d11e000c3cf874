import { bytes, type Bytes } from '../../config/units.js';
import { asWillisError, WillisError } from '../base/errors.js';
import { LengthDecoder, type BodyDecoder } from '../http/body-decoder.js';
import { ChunkedDecoder } from '../http/chunked.js';
import { parseFieldLines, SectionEnd } from '../http/field-lines.js';
import { Fields } from '../http/fields.js';
import { parseContentLength } from '../http/framing.js';
import { connectionOptions } from '../http/hop-by-hop.js';
import type { InputBuffer } from '../http/input-buffer.js';

/** The head of a response, checked. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly version: '1.0' | '1.1';
  readonly fields: Fields;
}

/** How a final response goes on after its head. */
export interface ResponseContent {
  /** Null if there is none. */
  readonly decoder: BodyDecoder | null;
  /** Whether the end of the connection is the end of the content. */
  readonly untilClose: boolean;
  /** Whether the connection can carry another exchange after it (RFC 9112 §9.3). */
  readonly persistent: boolean;
}

/** What is taken from an origin server: generous, but bounded. */
const limits = { headerBytes: bytes(64 * 1024), headers: 500, uri: bytes(0) };

/**
 * Receives the heads of responses on one connection (RFC 9112 §4, §5). As with requests nothing is repaired.
 */
export class ResponseReceiver {
  readonly #end = new SectionEnd();

  /** Consumes the next head; null while it has not come whole. @throws WillisError upstream-malformed */
  receive(input: InputBuffer): ResponseHead | null {
    try {
      // what speaks another protocol is not waited for
      for (let i = 0; i < beginning.length && i < input.length; i++) {
        if (input.at(i) !== beginning.charCodeAt(i)) throw malformed('not HTTP/1');
      }
      const length = this.#end.find(input, limits.headerBytes);
      if ((length ?? input.length) > limits.headerBytes) throw malformed(`head of over ${limits.headerBytes} bytes`);
      if (length === null) return null;
      const head = parseHead(input.text(bytes(length - 2)));
      input.skip(length);
      return head;
    } catch (error) {
      throw malformed(asWillisError(error).message);
    }
  }
}

/**
 * The content of a final response, by RFC 9112 §6.3: one valid `Content-Length`, or `chunked` alone, or the end of the
 * connection. What two recipients could read in two ways is refused. @throws WillisError upstream-malformed
 */
export function contentOf(method: string, head: ResponseHead): ResponseContent {
  const { status, version, fields } = head;
  const lengths = fields.all('content-length');
  const codings = fields.all('transfer-encoding');
  const length = lengths.length === 1 ? parseContentLength(lengths[0] as string) : null;
  if (lengths.length > 0 && length === null) throw malformed('invalid or repeated Content-Length');
  if (codings.length > 0) checkCodings(codings, lengths, version);
  const persistent = version === '1.1' && !connectionOptions(fields).has('close');
  if (method === 'HEAD' || status === 204 || status === 304) return { decoder: null, untilClose: false, persistent };
  if (codings.length > 0) return { decoder: new ChunkedDecoder(limits), untilClose: false, persistent };
  if (length !== null) return { decoder: new LengthDecoder(length), untilClose: false, persistent };
  return { decoder: new UntilCloseDecoder(), untilClose: true, persistent: false };
}

export const malformed = (detail: string): WillisError => new WillisError('upstream-malformed', detail);

const beginning = 'HTTP/1.';

/**
 * Status line and field lines, without the empty line (RFC 9112 §4). The space before an absent reason phrase is often left
 * out.
 *
 *     HTTP/1.1 200 OK
 *     0      7 9  12
 */
function parseHead(text: string): ResponseHead {
  const lineEnd = text.indexOf('\r\n');
  const minor = text.charCodeAt(7) - ZERO;
  const status = (text.charCodeAt(9) - ZERO) * 100 + (text.charCodeAt(10) - ZERO) * 10 + text.charCodeAt(11) - ZERO;
  const digits = isDigit(text, 7) && isDigit(text, 9) && isDigit(text, 10) && isDigit(text, 11);
  const separated = text.charCodeAt(8) === SP && (lineEnd === 12 || (lineEnd > 12 && text.charCodeAt(12) === SP));
  if (!digits || !separated || status < 100) throw malformed('not an HTTP/1 status line');
  const reason = text.slice(13, lineEnd);
  if (!isReason.test(reason)) throw malformed('not an HTTP/1 status line');
  const fields = new Fields(parseFieldLines(text, lineEnd + 2, limits.headers));
  return { status, reason, version: minor === 0 ? '1.0' : '1.1', fields };
}

const ZERO = 0x30;
const SP = 0x20;

function isDigit(text: string, at: number): boolean {
  const digit = text.charCodeAt(at) - ZERO;
  return digit >= 0 && digit <= 9;
}

const isReason = /^[\t\x20-\x7e\x80-\xff]*$/;

function checkCodings(codings: readonly string[], lengths: readonly string[], version: '1.0' | '1.1'): void {
  if (version === '1.0') throw malformed('Transfer-Encoding in an HTTP/1.0 response');
  if (lengths.length > 0) throw malformed('Content-Length beside Transfer-Encoding');
  if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked')
    throw malformed(`transfer coding ${codings.join(', ')}`);
}

/** Content that ends with its connection (RFC 9112 §6.3 item 8). */
class UntilCloseDecoder implements BodyDecoder {
  readonly remaining: Bytes | null = null;
  readonly trailers = Fields.none;

  next(input: InputBuffer): Buffer | 'more' {
    return input.length === 0 ? 'more' : input.take(input.length);
  }
}
