import { lowerCaseName } from './field-names.js';

/**
 * The field lines of a message (RFC 9110 §5), immutable, in received order and with names in received case. Values are
 * without surrounding white space; bytes above 0x7F are Latin-1 characters. Names given to the methods are lower case.
 */
export class Fields {
  static readonly none = new Fields([]);

  /** Flat list of name and value in turns. */
  readonly lines: readonly string[];
  readonly #begun: Fields | null;
  #wire: string | undefined;

  /** @param begun fields with which the lines begin, and whose text is kept for that */
  constructor(lines: readonly string[], begun: Fields | null = null) {
    this.lines = lines;
    this.#begun = begun;
  }

  /** Fields with which these begin, and which others may begin with too; null if that is not known. */
  get begun(): Fields | null {
    return this.#begun;
  }

  static of(record: Readonly<Record<string, string | readonly string[]>>): Fields {
    const lines: string[] = [];
    for (const [name, value] of Object.entries(record)) {
      for (const one of typeof value === 'string' ? [value] : value) lines.push(name, one);
    }
    return new Fields(lines);
  }

  has(name: string): boolean {
    return this.first(name) !== undefined;
  }

  /** The value of the first line with that name. */
  first(name: string): string | undefined {
    const { lines } = this;
    for (let i = 0; i < lines.length; i += 2) {
      if (sameName(lines[i] as string, name)) return lines[i + 1];
    }
    return undefined;
  }

  /** The values of all lines with that name, in order. */
  all(name: string): string[] {
    const values: string[] = [];
    const { lines } = this;
    for (let i = 0; i < lines.length; i += 2) {
      if (sameName(lines[i] as string, name)) values.push(lines[i + 1] as string);
    }
    return values;
  }

  /** The combined value: all lines joined by ", " (RFC 9110 §5.3). */
  get(name: string): string | undefined {
    const { lines } = this;
    let combined: string | undefined;
    for (let i = 0; i < lines.length; i += 2) {
      if (!sameName(lines[i] as string, name)) continue;
      combined = combined === undefined ? lines[i + 1] : `${combined}, ${lines[i + 1] as string}`;
    }
    return combined;
  }

  /** The members of a list-valued field, over all its lines, empty ones left out (RFC 9110 §5.6.1). */
  list(name: string): string[] {
    const combined = this.get(name);
    return combined === undefined ? [] : splitList(combined);
  }

  /** This, with every line of that name, in any case, replaced by one at the end. */
  with(name: string, value: string): Fields {
    return new Fields([...this.without(name.toLowerCase()).lines, name, value]);
  }

  /** This, with further lines at the end. */
  plus(...lines: readonly string[]): Fields {
    return new Fields([...this.lines, ...lines]);
  }

  /** The same, of fields that many messages begin with, each with a few lines of its own. */
  continuedBy(...lines: readonly string[]): Fields {
    return new Fields([...this.lines, ...lines], this);
  }

  without(...names: readonly string[]): Fields {
    return this.filter((name) => !names.includes(name));
  }

  /** The lines for which `keep` holds; it is given the name in lower case. This, if it holds for all of them. */
  filter(keep: (name: string, value: string) => boolean): Fields {
    const { lines } = this;
    for (let i = 0; i < lines.length; i += 2) {
      if (!keep(lowerCaseName(lines[i] as string), lines[i + 1] as string)) return keptAfter(i, lines, keep);
    }
    return this;
  }

  /** Lower-case names in order of first appearance. */
  names(): Set<string> {
    const names = new Set<string>();
    for (let i = 0; i < this.lines.length; i += 2) names.add(lowerCaseName(this.lines[i] as string));
    return names;
  }

  /** As sent: `name: value CRLF` for every line (RFC 9112 §5), kept for the next time. */
  wire(): string {
    if (this.#wire !== undefined) return this.#wire;
    const { lines } = this;
    let text = '';
    let i = 0;
    if (this.#begun !== null) {
      text = this.#begun.wire();
      // looking into a string that was put together of many makes it one, once for all who use it
      text.charCodeAt(0);
      i = this.#begun.lines.length;
    }
    for (; i < lines.length; i += 2) text += `${lines[i] as string}: ${lines[i + 1] as string}\r\n`;
    return (this.#wire = text);
  }
}

/** The lines before `dropped`, and those behind it for which `keep` holds. */
function keptAfter(dropped: number, lines: readonly string[], keep: (name: string, value: string) => boolean): Fields {
  const kept = lines.slice(0, dropped);
  for (let i = dropped + 2; i < lines.length; i += 2) {
    const name = lines[i] as string;
    const value = lines[i + 1] as string;
    if (keep(lowerCaseName(name), value)) kept.push(name, value);
  }
  return new Fields(kept);
}

/** Whether a received field name is `lower`, which is in lower case. */
export function sameName(received: string, lower: string): boolean {
  // most names of that length differ in their first letter
  return (
    received.length === lower.length &&
    ((received.charCodeAt(0) ^ lower.charCodeAt(0)) & ~0x20) === 0 &&
    (received === lower || lowerCaseName(received) === lower)
  );
}

/** The members of a comma-separated list; commas inside quoted strings do not separate (RFC 9110 §5.6.1, §5.6.4). */
export function splitList(value: string): string[] {
  const members: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i <= value.length; i++) {
    const c = value.charCodeAt(i);
    if (i === value.length || (c === 0x2c && !quoted)) {
      const member = trimOws(value.slice(start, i));
      if (member !== '') members.push(member);
      start = i + 1;
    } else if (c === 0x22) quoted = !quoted;
    else if (c === 0x5c && quoted) i++;
  }
  return members;
}

/** Without spaces and tabs at either end (OWS, RFC 9110 §5.6.3). */
export function trimOws(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isOws(value.charCodeAt(start))) start++;
  while (end > start && isOws(value.charCodeAt(end - 1))) end--;
  return start === 0 && end === value.length ? value : value.slice(start, end);
}

const isOws = (c: number): boolean => c === 0x20 || c === 0x09;
