import { bytes, type Bytes } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { isTokenCharacter, parseFieldLines, SectionEnd } from './field-lines.js';
import { Fields, splitList } from './fields.js';
import { requestFraming, type Framing } from './framing.js';
import type { InputBuffer } from './input-buffer.js';
import { parseRequestTarget, type RequestTarget } from './request-target.js';

export interface HeadLimits {
  /** The whole head, its empty line included. */
  readonly headerBytes: Bytes;
  /** Field lines. */
  readonly headers: number;
  /** The request target. */
  readonly uri: Bytes;
}

/** The connection's part in the meaning of a head. */
export interface HeadContext {
  readonly limits: HeadLimits;
  /** Whether the connection is TLS. */
  readonly secure: boolean;
  /** Authority of this server by its address, for HTTP/1.0 requests without `Host`. */
  readonly ownAuthority: string;
}

/** The head of a request, checked. */
export interface RequestHead {
  readonly method: string;
  readonly target: RequestTarget;
  readonly version: '1.0' | '1.1';
  readonly fields: Fields;
  readonly framing: Framing;
  /** Whether the client can use the connection again after this request (RFC 9112 §9.3). */
  readonly persistent: boolean;
  /** Whether it asks for WebSocket by `Upgrade` and may do so. */
  readonly webSocket: boolean;
}

/**
 * Receives the heads of the requests on one connection (RFC 9112 §2 to §6). Nothing is repaired: whatever is not
 * exactly what the grammar says is refused, as soon as that is certain.
 */
export class HeadReceiver {
  #context: HeadContext;
  readonly #end = new SectionEnd();
  #emptyLines = 0;

  constructor(context: HeadContext) {
    this.#context = context;
  }

  /** These limits hold from now on, for a head that has begun to arrive too. */
  configure(limits: HeadLimits): void {
    this.#context = { ...this.#context, limits };
  }

  /**
   * Consumes the next head, or returns null if it has not arrived completely.
   * @throws WillisError bad-request, uri-too-long, fields-too-large, not-implemented or version-not-supported
   */
  receive(input: InputBuffer): RequestHead | null {
    if (!this.#skipEmptyLines(input)) return null;
    const { headerBytes } = this.#context.limits;
    const length = this.#end.find(input, headerBytes);
    if ((length ?? input.length) > headerBytes) throw tooLong(input, headerBytes);
    if (length === null) return null;
    const head = parseRequestHead(input.text(bytes(length - 2)), this.#context);
    input.skip(length);
    this.#emptyLines = 0;
    return head;
  }

  /** RFC 9112 §2.2: old clients send an empty line behind the content of a POST. */
  #skipEmptyLines(input: InputBuffer): boolean {
    while (input.at(0) === CR) {
      if (input.length < 2) return false;
      if (input.at(1) !== LF || this.#emptyLines === MOST_EMPTY_LINES) throw badRequestLine();
      input.skip(bytes(2));
      this.#emptyLines++;
    }
    return input.length > 0;
  }
}

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const CRLF = Buffer.from('\r\n');
const MOST_EMPTY_LINES = 2;
const VERSION_LENGTH = 'HTTP/1.1'.length;

const badRequestLine = (): WillisError => new WillisError('bad-request', 'malformed request line');

function tooLong(input: InputBuffer, most: Bytes): WillisError {
  const requestLine = input.indexOf(CRLF, 0);
  if (requestLine < 0 || requestLine > most)
    return new WillisError('uri-too-long', `request line of over ${most} bytes`);
  return new WillisError('fields-too-large', `head of over ${most} bytes`);
}

/** Parses a complete head, given without its empty line. */
function parseRequestHead(text: string, context: HeadContext): RequestHead {
  const methodEnd = tokenEnd(text);
  const targetEnd = visibleEnd(text, methodEnd + 1);
  if (methodEnd === 0 || text.charCodeAt(methodEnd) !== SP || targetEnd === methodEnd + 1) throw badRequestLine();
  const version = parseVersion(text, targetEnd);
  const target = text.slice(methodEnd + 1, targetEnd);
  if (target.length > context.limits.uri) {
    throw new WillisError('uri-too-long', `request target of ${target.length} bytes`);
  }
  const lines = parseFieldLines(text, targetEnd + 1 + VERSION_LENGTH + 2, context.limits.headers);
  return interpret(text.slice(0, methodEnd), target, version, lines, context);
}

function interpret(
  method: string,
  targetText: string,
  version: '1.0' | '1.1',
  lines: readonly string[],
  context: HeadContext,
): RequestHead {
  const noted = noteFields(lines);
  if (noted.hosts > 1) throw new WillisError('bad-request', 'repeated Host');
  if (noted.hosts === 0 && version === '1.1') throw new WillisError('bad-request', 'no Host');
  const framing = requestFraming(version, noted.lengths, noted.transferCodings);
  const { secure, ownAuthority } = context;
  const target = parseRequestTarget(targetText, { method, host: noted.host, secure, ownAuthority });
  if (target.form === 'authority' && hasContent(framing)) {
    throw new WillisError('bad-request', 'content in a CONNECT request');
  }
  const webSocket = noted.webSocket && noted.upgrade && method === 'GET' && version === '1.1' && !hasContent(framing);
  const persistent = version === '1.1' && !noted.close;
  return { method, target, version, fields: new Fields(lines), framing, persistent, webSocket };
}

const hasContent = (framing: Framing): boolean =>
  framing.kind === 'chunked' || (framing.kind === 'length' && framing.length > 0);

/** What the fields say about the connection and the message's own shape. */
interface Noted {
  host: string | undefined;
  hosts: number;
  lengths: readonly string[];
  transferCodings: readonly string[];
  /** Connection options. */
  close: boolean;
  upgrade: boolean;
  /** Whether `Upgrade` lists it. */
  webSocket: boolean;
}

const NO_LINES: readonly string[] = [];

function noteFields(lines: readonly string[]): Noted {
  const noted: Noted = {
    host: undefined,
    hosts: 0,
    lengths: NO_LINES,
    transferCodings: NO_LINES,
    close: false,
    upgrade: false,
    webSocket: false,
  };
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] as string;
    // The length tells most fields apart without making a lower-case copy of every name.
    if (INTERESTING_LENGTHS.has(name.length)) noteField(noted, name.toLowerCase(), lines[i + 1] as string);
  }
  return noted;
}

const INTERESTING_LENGTHS = new Set(
  ['host', 'upgrade', 'connection', 'content-length', 'transfer-encoding'].map((name) => name.length),
);

function noteField(noted: Noted, name: string, value: string): void {
  switch (name) {
    case 'host':
      noted.host ??= value;
      noted.hosts++;
      break;
    case 'content-length':
      noted.lengths = [...noted.lengths, value];
      break;
    case 'transfer-encoding':
      noted.transferCodings = [...noted.transferCodings, value];
      break;
    case 'connection':
      for (const option of splitList(value.toLowerCase())) {
        if (option === 'close') noted.close = true;
        else if (option === 'upgrade') noted.upgrade = true;
      }
      break;
    case 'upgrade':
      noted.webSocket ||= splitList(value.toLowerCase()).includes('websocket');
      break;
  }
}

function tokenEnd(text: string): number {
  let i = 0;
  while (isTokenCharacter(text.charCodeAt(i))) i++;
  return i;
}

function visibleEnd(text: string, from: number): number {
  let i = from;
  for (let c = text.charCodeAt(i); c > SP && c < 0x7f; c = text.charCodeAt(i)) i++;
  return i;
}

/** Reads ` HTTP/1.1 CRLF` at `at`; a later minor version is served as 1.1 (RFC 9110 §2.5). */
function parseVersion(text: string, at: number): '1.0' | '1.1' {
  const end = at + 1 + VERSION_LENGTH;
  const major = text.charCodeAt(end - 3) - 0x30;
  const minor = text.charCodeAt(end - 1) - 0x30;
  const wellFormed =
    text.startsWith(' HTTP/', at) &&
    isOneDigit(major) &&
    text.charAt(end - 2) === '.' &&
    isOneDigit(minor) &&
    text.startsWith('\r\n', end);
  if (!wellFormed) throw badRequestLine();
  if (major !== 1) throw new WillisError('version-not-supported', `HTTP/${major}.${minor}`);
  return minor === 0 ? '1.0' : '1.1';
}

const isOneDigit = (n: number): boolean => n >= 0 && n <= 9;
