import { bytes } from '../../config/units.js';
import { asWillisError, WillisError } from '../base/errors.js';
import { isTokenCharacter, parseFieldLines, SectionEnd } from './field-lines.js';
import { Fields } from './fields.js';
import type { InputBuffer } from './input-buffer.js';
import type { HeadLimits } from './receive.js';
import type { BodyDecoder } from './body-decoder.js';
import { permittedTrailers } from './trailers.js';

/**
 * Undoes the chunked transfer coding (RFC 9112 §7.1) and checks it to the letter: a line that two recipients could read
 * in two ways would smuggle a request through.
 *
 *     4;name=value CRLF  Wiki CRLF  0 CRLF  Trailer: value CRLF  CRLF
 *     └ size     ┘       └ data ┘   └ last  └ trailers
 */
export class ChunkedDecoder implements BodyDecoder {
  readonly remaining = null;
  trailers = Fields.none;
  readonly #limits: HeadLimits;
  readonly #trailerEnd = new SectionEnd();
  #expects: 'size' | 'data' | 'data-end' | 'trailers' | 'nothing' = 'size';
  #remaining = 0;
  #lineSeen = 0;
  #dataBytes = 0;
  #extensionBytes = 0;
  /** What was found wrong behind a piece that was still to be given. */
  #broken: WillisError | null = null;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  next(input: InputBuffer): Buffer | 'end' | 'more' {
    if (this.#broken !== null) throw this.#broken;
    const piece = this.#nextPiece(input);
    return typeof piece === 'string' || piece.length >= SMALL_PIECE ? piece : this.#gathered(piece, input);
  }

  /** A piece with those at hand behind it: many small ones would each cost as much as a large one all the way. */
  #gathered(first: Buffer, input: InputBuffer): Buffer {
    const pieces = [first];
    let length = first.length;
    try {
      while (length < GATHERED_BYTES) {
        const piece = this.#nextPiece(input);
        if (typeof piece === 'string') break;
        pieces.push(piece);
        length += piece.length;
      }
    } catch (error) {
      this.#broken = asWillisError(error);
    }
    return pieces.length === 1 ? first : Buffer.concat(pieces, length);
  }

  #nextPiece(input: InputBuffer): Buffer | 'end' | 'more' {
    for (;;) {
      switch (this.#expects) {
        case 'size':
          if (!this.#receiveSize(input)) return 'more';
          break;
        case 'data':
          return this.#receiveData(input);
        case 'data-end':
          if (!receiveLineEnd(input)) return 'more';
          this.#expects = 'size';
          break;
        case 'trailers':
          if (!this.#receiveTrailers(input)) return 'more';
          break;
        case 'nothing':
          return 'end';
      }
    }
  }

  #receiveData(input: InputBuffer): Buffer | 'more' {
    if (input.length === 0) return 'more';
    const data = input.take(bytes(this.#remaining));
    this.#remaining -= data.length;
    this.#dataBytes += data.length;
    if (this.#remaining === 0) this.#expects = 'data-end';
    return data;
  }

  #receiveSize(input: InputBuffer): boolean {
    const end = input.indexOf(LF, this.#lineSeen);
    if ((end < 0 ? input.length : end) > LONGEST_LINE) throw malformed('chunk size line too long');
    if (end < 0) {
      this.#lineSeen = input.length;
      return false;
    }
    const line = input.text(bytes(end + 1));
    input.skip(bytes(end + 1));
    this.#lineSeen = 0;
    const digits = hexDigits(line);
    if (digits === 0 || digits > MOST_DIGITS) throw malformed('invalid chunk size');
    if (extensionsEnd(line, digits) !== line.length - 2 || !line.endsWith('\r\n')) {
      throw malformed('malformed chunk size line');
    }
    this.#countExtensions(line.length - 2 - digits);
    this.#remaining = Number.parseInt(line.slice(0, digits), 16);
    this.#expects = this.#remaining === 0 ? 'trailers' : 'data';
    return true;
  }

  /** Extensions are dropped unread, so more of them than of data is nothing but work for this server. */
  #countExtensions(length: number): void {
    this.#extensionBytes += length;
    if (this.#extensionBytes > FREE_EXTENSION_BYTES + this.#dataBytes) throw malformed('too many chunk extensions');
  }

  #receiveTrailers(input: InputBuffer): boolean {
    if (input.at(0) === CR) {
      if (!receiveLineEnd(input)) return false;
    } else {
      const { headerBytes, headers } = this.#limits;
      const length = this.#trailerEnd.find(input, headerBytes);
      if ((length ?? input.length) > headerBytes)
        throw new WillisError('fields-too-large', 'trailer section too large');
      if (length === null) return false;
      this.trailers = permittedTrailers(new Fields(parseFieldLines(input.text(bytes(length - 2)), 0, headers)));
      input.skip(length);
    }
    this.#expects = 'nothing';
    return true;
  }
}

const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
/** 2^52 − 1 at most, which is exact. */
const MOST_DIGITS = 13;
const LONGEST_LINE = 4096 + MOST_DIGITS + 2;
const FREE_EXTENSION_BYTES = 16_384;
const SMALL_PIECE = 1024;
const GATHERED_BYTES = 16_384;

const malformed = (reason: string): WillisError => new WillisError('bad-request', reason);

/** Consumes a CRLF; false if it has not arrived completely. */
function receiveLineEnd(input: InputBuffer): boolean {
  if (input.length === 0) return false;
  if (input.at(0) !== CR || (input.length > 1 && input.at(1) !== LF)) throw malformed('no line end behind a chunk');
  if (input.length === 1) return false;
  input.skip(bytes(2));
  return true;
}

function hexDigits(line: string): number {
  let i = 0;
  while (isHexDigit(line.charCodeAt(i))) i++;
  return i;
}

const isHexDigit = (c: number): boolean =>
  (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x66) || (c >= 0x41 && c <= 0x46);

/** Where `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )` (RFC 9112 §7.1.1) ends. */
function extensionsEnd(line: string, from: number): number {
  let end = from;
  for (;;) {
    const semicolon = skipSpace(line, end);
    if (line.charCodeAt(semicolon) !== SEMICOLON) return end;
    const name = skipSpace(line, semicolon + 1);
    const nameEnd = tokenEnd(line, name);
    if (nameEnd === name) return end;
    const equals = skipSpace(line, nameEnd);
    if (line.charCodeAt(equals) !== EQUALS) {
      end = nameEnd;
      continue;
    }
    const value = skipSpace(line, equals + 1);
    const valueEnd = line.charCodeAt(value) === QUOTE ? quotedStringEnd(line, value) : tokenEnd(line, value);
    if (valueEnd === value) return end;
    end = valueEnd;
  }
}

function skipSpace(line: string, from: number): number {
  let i = from;
  while (line.charCodeAt(i) === SP || line.charCodeAt(i) === HTAB) i++;
  return i;
}

function tokenEnd(line: string, from: number): number {
  let i = from;
  while (isTokenCharacter(line.charCodeAt(i))) i++;
  return i;
}

/** Behind the closing quote, or `from` if there is none or a character that may not stand in between. */
function quotedStringEnd(line: string, from: number): number {
  for (let i = from + 1; i < line.length; i++) {
    const c = line.charCodeAt(i);
    if (c === QUOTE) return i + 1;
    if (c === BACKSLASH) i++;
    if (!isQuotable(line.charCodeAt(i))) return from;
  }
  return from;
}

const isQuotable = (c: number): boolean => c === HTAB || (c >= SP && c !== 0x7f);
