/** In what bytes of a page stand for characters. */
export interface PageCharset {
  /**
   * Name of an encoding (WHATWG Encoding) in which ASCII bytes are those characters wherever they stand in markup; null if
   * nothing says it, and browsers guess.
   */
  readonly charset: string | null;
  /** Where the `meta` ends that says it to browsers that look at the first 1024 bytes; 0 without. */
  readonly metaEnd: number;
}

/**
 * What a browser takes the bytes for: by its byte order mark, the type of the answer, or a `meta` within the first 1024 bytes
 * (HTML §13.2.3.2, "encoding sniffing algorithm", without the guessing). Null for an encoding that has its markup in other bytes
 * than ASCII has, or in which bytes of ASCII may be something else: UTF-16, UTF-32, UTF-7, ISO-2022, HZ, x-user-defined.
 *
 * @param bytes the first 1024, or all
 */
export function pageCharset(bytes: Buffer, contentType: string): PageCharset | null {
  if (isWide(bytes)) return null;
  const scan = prescanned(bytes.subarray(0, prescannedBytes));
  const metaEnd = scan?.end ?? 0;
  if (hasUtf8Mark(bytes)) return { charset: 'utf-8', metaEnd };
  const labels = [labelOfType(contentType), scan?.label, xmlLabel(bytes)];
  for (const [place, label] of labels.entries()) {
    if (label === undefined) continue;
    const read = place === 0 ? label : (inMeta.get(label) ?? label);
    if (isUnsplicable(read)) return null;
    const charset = encodingOf(read);
    if (charset !== null) return { charset, metaEnd };
  }
  return bytes.includes(escape) ? null : { charset: null, metaEnd };
}

/** EF BB BF, which goes before all that is said elsewhere. */
export const hasUtf8Mark = (bytes: Buffer): boolean => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;

/** With which the bytes of ISO-2022 change their meaning; browsers may guess that. */
export const escape = 0x1b;

const prescannedBytes = 1024;

/** The marks of UTF-16 in both orders; that of UTF-32 begins with one of them. */
const isWide = (bytes: Buffer): boolean =>
  (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);

/** A page that can say so in ASCII is not in these. */
const inMeta = new Map([
  ...['utf-16', 'utf-16le', 'utf-16be', 'unicode', 'csunicode', 'iso-10646-ucs-2', 'ucs-2', 'unicodefeff'].map(
    (label) => [label, 'utf-8'] as const,
  ),
  ['unicodefffe', 'utf-8'],
  ['x-user-defined', 'windows-1252'],
]);

const isUnsplicable = (label: string): boolean =>
  /^(?:cs)?(?:iso-?2022|hz|utf-?7|unicode-1-1-utf-7|utf-?32|x-user-defined|replacement)/.test(label) ||
  /^(?:utf-16|iso-2022)/.test(encodingOf(label) ?? '');

function encodingOf(label: string): string | null {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return null; // unknown to browsers too, which go on to the next that says something
  }
}

const labelOfType = (contentType: string): string | undefined => {
  const [, quoted, bare] =
    /;[\t ]*charset[\t ]*=[\t ]*(?:"((?:[^"\\]|\\.){0,99})"?|([^;\t ]*))/i.exec(contentType) ?? [];
  return labelled(quoted?.replace(/\\(.)/g, '$1') ?? bare);
};

const xmlLabel = (bytes: Buffer): string | undefined => {
  const start = bytes.toString('latin1', 0, 256);
  return labelled(/^<\?xml[^>]*?\sencoding\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)')/.exec(start)?.slice(1).find(isGiven));
};

const isGiven = (text: string | undefined): boolean => text !== undefined;

const labelled = (label: string | undefined): string | undefined => {
  const text = label?.trim().toLowerCase();
  return text === '' ? undefined : text;
};

/** "Prescan a byte stream to determine its encoding". It knows nothing of scripts and titles, as browsers do not here. */
function prescanned(bytes: Buffer): { readonly label: string; readonly end: number } | null {
  const text = bytes.toString('latin1');
  const reader = new AttributeReader(text);
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at + 1)) {
    if (text.startsWith('<!--', at)) {
      at = text.indexOf('-->', at + 2);
      if (at < 0) return null;
      at += 2;
    } else if (/^<meta[\s/]/i.test(text.slice(at, at + 6))) {
      reader.at = at + 5;
      const label = metaLabel(reader);
      if (reader.at >= text.length) return null;
      if (label !== null) return { label, end: reader.at + 1 };
      at = reader.at - 1;
    } else if (/^<\/?[a-z]/i.test(text.slice(at, at + 3))) {
      reader.at = at + (/^[^\s>]*/.exec(text.slice(at))?.[0].length ?? 0);
      while (reader.next() !== null);
      at = reader.at - 1;
    } else if (/^<[!/?]/.test(text.slice(at, at + 2))) {
      at = text.indexOf('>', at);
      if (at < 0) return null;
    }
  }
  return null;
}

function metaLabel(reader: AttributeReader): string | null {
  const seen = new Set<string>();
  let isPragma = false;
  let needsPragma: boolean | null = null;
  let label: string | null = null;
  for (let attribute = reader.next(); attribute !== null; attribute = reader.next()) {
    const { name, value } = attribute;
    if (seen.has(name)) continue;
    seen.add(name);
    if (name === 'http-equiv') isPragma = value === 'content-type';
    else if (name === 'content' && label === null) {
      label = labelInContent(value);
      if (label !== null) needsPragma = true;
    } else if (name === 'charset') {
      label = value.trim();
      needsPragma = false;
    }
  }
  const counts = needsPragma === false || (needsPragma === true && isPragma);
  return counts && label !== null && isKnown(label) ? label : null;
}

const isKnown = (label: string): boolean => inMeta.has(label) || isUnsplicable(label) || encodingOf(label) !== null;

/** "Extracting a character encoding from a meta element". @param content in lower case */
function labelInContent(content: string): string | null {
  const [, quote, rest] = /charset\s*=\s*(["']?)(.*)$/s.exec(content) ?? [];
  if (rest === undefined) return null;
  if (quote === '' || quote === undefined) return /^[^\s;]*/.exec(rest)?.[0] ?? null;
  const end = rest.indexOf(quote);
  return end < 0 ? null : rest.slice(0, end).trim();
}

/** "Get an attribute" of the same section: names and values in lower case, character references as they stand. */
class AttributeReader {
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Null where the tag, or the text, ends. */
  next(): { readonly name: string; readonly value: string } | null {
    this.#pass(/[\s/]*/y);
    if (this.at >= this.#text.length || this.#text[this.at] === '>') return null;
    const name = this.#pass(/=?[^\s/>=]*/y).toLowerCase();
    this.#pass(/\s*/y);
    if (this.#text[this.at] !== '=') return { name, value: '' };
    this.at++;
    this.#pass(/\s*/y);
    return { name, value: this.#value().toLowerCase() };
  }

  #value(): string {
    const quote = this.#text[this.at];
    if (quote !== '"' && quote !== "'") return this.#pass(/[^\s>]*/y);
    const end = this.#text.indexOf(quote, this.at + 1);
    const value = this.#text.slice(this.at + 1, end < 0 ? undefined : end);
    this.at = end < 0 ? this.#text.length : end + 1;
    return value;
  }

  #pass(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const passed = pattern.exec(this.#text)?.[0] ?? '';
    this.at += passed.length;
    return passed;
  }
}
