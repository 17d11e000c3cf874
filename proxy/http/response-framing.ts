import { bytes, type Bytes } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import { WillisError } from '../base/errors.js';
import { sameName, type Fields } from './fields.js';
import { parseContentLength } from './framing.js';
import { formatHttpDate } from './http-date.js';
import type { Response } from './message.js';

/** How a response goes over the wire: its head, ready to be sent, and how the end of its content is told. */
export interface ResponseFrame {
  /** Latin-1. */
  readonly head: string;
  /** `close`: by the end of the connection. */
  readonly content: 'none' | 'length' | 'chunked' | 'close';
  /** Length of the content by `Content-Length`; null for `chunked` and `close`. */
  readonly length: Bytes | null;
}

export interface FramingContext {
  readonly method: string;
  readonly version: '1.0' | '1.1';
  /** Whether the connection ends after this response (RFC 9112 §9.6). */
  readonly close: boolean;
  /** For a response that lacks `Date` (RFC 9110 §6.6.1). */
  readonly clock: Clock;
}

/**
 * Frames a final response by RFC 9112 §6. What would make one message look like another, or like two, is not sent.
 * @throws WillisError internal: control characters in the head, framing or connection fields among the end-to-end ones,
 *   a `Content-Length` that is not the body's length
 */
export function frameResponse(response: Response, context: FramingContext): ResponseFrame {
  const { status, body } = response;
  if (!Number.isInteger(status) || status < 200 || status > 999) throw unsendable(`status ${status}`);
  const noted = noteFields(response.fields);
  const bodiless = context.method === 'HEAD' || status === 204 || status === 304;
  // RFC 9110 §15.3.6: no content in a 205; some clients do not look for any, and would take it for the next response
  const length =
    bodiless || status === 205 ? NOTHING : contentLength(noted.length, body === null ? NOTHING : body.length);
  const content = contentOf(length, context.version);
  let extra = '';
  let lines = response.fields.lines.length / 2 + 2;
  if (content === 'chunked') {
    extra = 'Transfer-Encoding: chunked\r\n';
    lines++;
  } else if (length !== null && !bodiless && (noted.length === null || status === 205)) {
    extra = `Content-Length: ${length}\r\n`;
    lines++;
  }
  if (!noted.date) {
    extra += `Date: ${formatHttpDate(context.clock.now())}\r\n`;
    lines++;
  }
  if (context.close || content === 'close') {
    extra += 'Connection: close\r\n';
    lines++;
  }
  let wire = response.fields.wire();
  if ((status === 204 || status === 205) && noted.length !== null) {
    // RFC 9110 §8.6: no Content-Length in a 204, whatever the handler was given; that of a 205 is 0
    wire = response.fields.without('content-length').wire();
    lines--;
  }
  const head = `HTTP/1.1 ${status} ${response.reason}\r\n${wire}${extra}\r\n`;
  assertSendable(head, lines);
  return { head, content, length };
}

/** The head of an informational response (RFC 9110 §15.2). @throws WillisError internal */
export function informationalHead(status: number, fields: Fields): string {
  const sent = fields.without('content-length', 'transfer-encoding', 'connection');
  const head = `HTTP/1.1 ${status} ${informationalReasons.get(status) ?? ''}\r\n${sent.wire()}\r\n`;
  assertSendable(head, sent.lines.length / 2 + 2);
  return head;
}

/**
 * Whether a head, or a trailer section, has exactly as many lines as it should and no other control characters: a field
 * with a line end in it would be a second field, or a second response.
 * @throws WillisError internal
 */
export function assertSendable(text: string, lines: number): void {
  let ends = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 0x20 && c < 0x100 && c !== 0x7f) continue;
    if (c === CR && text.charCodeAt(i + 1) === LF) {
      ends++;
      i++;
    } else if (c !== HTAB) throw unsendable('control or non-Latin-1 character in the head');
  }
  if (ends !== lines) throw unsendable('line end in a field');
}

const NOTHING = bytes(0);
const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;

const informationalReasons = new Map([
  [100, 'Continue'],
  [102, 'Processing'],
  [103, 'Early Hints'],
]);

const unsendable = (reason: string): WillisError => new WillisError('internal', `response not sent: ${reason}`);

interface Noted {
  length: string | null;
  date: boolean;
}

function noteFields({ lines }: Fields): Noted {
  const noted: Noted = { length: null, date: false };
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    switch (name.length) {
      case 4:
        noted.date ||= sameName(name, 'date');
        break;
      case 10:
        if (sameName(name, 'connection') || sameName(name, 'keep-alive')) throw unsendable(`${name} among its fields`);
        break;
      case 14:
        if (!sameName(name, 'content-length')) break;
        if (noted.length !== null) throw unsendable('repeated Content-Length');
        noted.length = lines[i + 1] as string;
        break;
      case 17:
        if (sameName(name, 'transfer-encoding')) throw unsendable(`${name} among its fields`);
        break;
    }
  }
  return noted;
}

function contentOf(length: Bytes | null, version: '1.0' | '1.1'): ResponseFrame['content'] {
  if (length === null) return version === '1.0' ? 'close' : 'chunked';
  return length === 0 ? 'none' : 'length';
}

/** The length to announce: what the field says and what the body says must be the same. */
function contentLength(field: string | null, body: Bytes | null): Bytes | null {
  if (field === null) return body;
  const length = parseContentLength(field);
  if (length === null || (body !== null && body !== length)) throw unsendable('Content-Length is not its length');
  return length;
}
