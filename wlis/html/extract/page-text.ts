import { escape, pageCharset } from '../splicing/page-charset.js';

/** The text of a page, and by which character set it was read. */
export interface PageText {
  readonly text: string;
  /** Its name in the Encoding Standard, in lower case: `utf-8`, `windows-1252`, `shift_jis`. */
  readonly charset: string;
}

/**
 * The bytes of a page as text, in the character set that browsers take them for; where nothing says it, UTF-8 if they are
 * that, otherwise windows-1252. Never fails: what cannot be decoded becomes U+FFFD.
 */
export function pageText(content: Buffer, contentType: string): PageText {
  const said = pageCharset(content.subarray(0, 1024), contentType);
  const decoder =
    said === null
      ? wideDecoder(content, contentType)
      : new TextDecoder(said.charset ?? (isUtf8(content) ? 'utf-8' : 'windows-1252'));
  return { text: decoder.decode(content), charset: decoder.encoding };
}

type Decoder = InstanceType<typeof TextDecoder>;

/** Of a page whose markup is not in the bytes of ASCII. */
function wideDecoder(content: Buffer, contentType: string): Decoder {
  const [first, second] = content;
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be');
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le');
  const [, quoted, bare] = /;\s*charset\s*=\s*(?:"([^"\\]*)"|([^\s;"]+))/i.exec(contentType) ?? [];
  return decoderOf(quoted ?? bare) ?? new TextDecoder(content.includes(escape) ? 'iso-2022-jp' : 'windows-1252');
}

/** Null for a label that nobody knows. */
function decoderOf(label: string | undefined): Decoder | null {
  if (label === undefined) return null;
  try {
    return new TextDecoder(label);
  } catch {
    return null;
  }
}

/** A content that was cut may end in the middle of a character. */
function isUtf8(content: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(content, { stream: true });
    return true;
  } catch {
    return false;
  }
}
