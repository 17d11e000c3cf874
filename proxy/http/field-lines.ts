import { bytes, type Bytes } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import { sharedName } from './field-names.js';
import type { InputBuffer } from './input-buffer.js';

const TOKEN = 1;
const VALUE = 2;
const HTAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const COLON = 0x3a;
const EMPTY_LINE = Buffer.from('\r\n\r\n');

const classes = new Uint8Array(256);
for (let c = 0x21; c < 0x7f; c++) classes[c] = VALUE;
for (let c = 0x80; c < 0x100; c++) classes[c] = VALUE;
classes[HTAB] = VALUE;
classes[SP] = VALUE;
const TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
for (const c of TOKEN_CHARACTERS) classes[c.charCodeAt(0)] = TOKEN | VALUE;

/** Whether a character may stand in a token (`tchar`, RFC 9110 §5.6.2); false for NaN. */
export const isTokenCharacter = (c: number): boolean => ((classes[c] ?? 0) & TOKEN) !== 0;

const isValueCharacter = (c: number): boolean => ((classes[c] ?? 0) & VALUE) !== 0;
const isOws = (c: number): boolean => c === SP || c === HTAB;

/**
 * Reads field lines (RFC 9112 §5) from `from` to the end of the text, each ended by CRLF and nothing repaired: no white
 * space before the colon, no folding, no control characters. Returns name and value in turns, as `Fields` has them.
 * @throws WillisError bad-request, or fields-too-large for more than `most` lines
 */
export function parseFieldLines(text: string, from: number, most: number): string[] {
  const lines: string[] = [];
  let i = from;
  while (i < text.length) {
    const nameStart = i;
    while (isTokenCharacter(text.charCodeAt(i))) i++;
    if (i === nameStart || text.charCodeAt(i) !== COLON) throw badFieldName(text, nameStart);
    const name = text.slice(nameStart, i++);
    while (isOws(text.charCodeAt(i))) i++;
    const valueStart = i;
    while (isValueCharacter(text.charCodeAt(i))) i++;
    if (text.charCodeAt(i) !== CR || text.charCodeAt(i + 1) !== LF) {
      throw new WillisError('bad-request', `control character in the field ${name}`);
    }
    let valueEnd = i;
    while (valueEnd > valueStart && isOws(text.charCodeAt(valueEnd - 1))) valueEnd--;
    if (lines.length >= 2 * most) throw new WillisError('fields-too-large', `more than ${most} field lines`);
    lines.push(sharedName(name), text.slice(valueStart, valueEnd));
    i += 2;
  }
  return lines;
}

function badFieldName(text: string, at: number): WillisError {
  const folded = isOws(text.charCodeAt(at));
  return new WillisError('bad-request', folded ? 'a field line begins with white space' : 'invalid field name');
}

/**
 * Finds the empty line that ends a head or a trailer section while its bytes arrive. Every byte is looked at once, and
 * one that makes the section invalid is refused at once, not when (and if) the section ends.
 */
export class SectionEnd {
  #seen = 0;

  /**
   * The length of the section, its empty line included, or null while it has not arrived.
   * @throws WillisError bad-request for a bare CR or LF or another control character in an unfinished section
   */
  find(input: InputBuffer, most: Bytes): Bytes | null {
    const at = input.indexOf(EMPTY_LINE, Math.max(0, this.#seen - 3));
    if (at >= 0) {
      this.#seen = 0;
      return bytes(at + 4);
    }
    const { length } = input;
    let previous = this.#seen > 0 ? input.at(this.#seen - 1) : SP;
    for (let i = this.#seen; i < length && i <= most; i++) {
      const c = input.at(i);
      if ((c === LF) !== (previous === CR) || !(isValueCharacter(c) || c === CR || c === LF)) {
        throw new WillisError('bad-request', 'control character in the head');
      }
      previous = c;
    }
    this.#seen = length;
    return null;
  }
}
