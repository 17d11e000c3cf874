import { trimOws } from '../http/fields.js';

/** A cache directive as written (RFC 9111 §5.2), its meaning not yet looked at. */
export interface Directive {
  /** Lower case. */
  readonly name: string;
  /** Token, or content of the quoted string; null if there is none. */
  readonly argument: string | null;
  /** The name can be read, what follows it cannot. */
  readonly malformed: boolean;
}

/**
 * The directives in the lines of a `Cache-Control` field, in order. Each line is read for itself, so that a broken quoted
 * string spoils no other line.
 *
 * An element outside the grammar gives its leading name, `malformed`. Further words in it that would forbid something
 * (`private; no-store`, `max-age=60 private`) are given too, at the very end: whoever wrote them meant them, and to pass
 * over them would share what must not be shared, while well-formed directives of that name still come first.
 */
export function readDirectives(lines: readonly string[]): Directive[] {
  const directives: Directive[] = [];
  const doubtful: Directive[] = [];
  for (const line of lines) {
    for (const element of elements(line)) {
      const read = readElement(element);
      if (read !== null) {
        directives.push(read);
        continue;
      }
      const leading = leadingName.exec(element)?.[0] ?? '';
      if (leading !== '') directives.push(malformed(leading));
      for (const [word] of element.slice(leading.length).matchAll(words)) {
        if (restrictive.has(word.toLowerCase())) doubtful.push(malformed(word));
      }
    }
  }
  return [...directives, ...doubtful];
}

function readElement(element: string): Directive | null {
  const match = grammar.exec(element);
  if (match === null) return null;
  const [, name = '', token, quoted] = match;
  const argument = token ?? quoted?.replace(/\\(.)/g, '$1') ?? null;
  return { name: name.toLowerCase(), argument, malformed: false };
}

const malformed = (name: string): Directive => ({ name: name.toLowerCase(), argument: null, malformed: true });

/** What stands between the commas outside of quoted strings. A quotation mark that is never closed opens nothing. */
function elements(line: string): string[] {
  const found: string[] = [];
  let start = 0;
  let quotes = true;
  for (let i = 0; i <= line.length; i++) {
    if (i === line.length || line[i] === ',') {
      const element = trimOws(line.slice(start, i));
      if (element !== '') found.push(element);
      start = i + 1;
    } else if (line[i] === '"' && quotes) {
      const closing = closingQuote(line, i);
      if (closing === -1) quotes = false;
      else i = closing;
    }
  }
  return found;
}

function closingQuote(line: string, opening: number): number {
  for (let i = opening + 1; i < line.length; i++) {
    if (line[i] === '"') return i;
    if (line[i] === '\\') i++;
  }
  return -1;
}

const grammar = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)"))?$/;
const leadingName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+/;
const words = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/g;

const restrictive: ReadonlySet<string> = new Set([
  'no-store',
  'private',
  'no-cache',
  'must-revalidate',
  'proxy-revalidate',
  'no-transform',
  'max-age',
  's-maxage',
]);
