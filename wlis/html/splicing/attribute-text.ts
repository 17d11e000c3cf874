import { Tokenizer } from 'htmlparser2';

/**
 * The characters that an attribute value in a page stands for.
 *
 * @param raw the bytes between its quotes, a character for each
 * @param charset in which they are; null if that is not known
 * @returns null if they are no characters of that, or nobody knows of which
 */
export function attributeText(raw: string, charset: string | null): string | null {
  const text = isAscii(raw) ? raw : decoded(withAsciiQuery(raw, charset), charset);
  return text?.includes('&') === true ? withoutReferences(text) : text;
}

/** ASCII that stands for such a value, in quotes, whatever the encoding of the page. */
export const quotedAttribute = (text: string): string => `"${escapedText(text)}"`;

/** ASCII for text and values in double quotes. */
export const escapedText = (text: string): string => {
  if (/^[ !#-%'-;=?-~]*$/.test(text)) return text;
  return text.replace(/[^ !#-%'-;=?-~]/gu, (character) => {
    return named.get(character) ?? `&#${character.codePointAt(0) ?? 0xfffd};`;
  });
};

const named = new Map([
  ['&', '&amp;'],
  ['"', '&quot;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
]);

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

function decoded(bytes: string, charset: string | null): string | null {
  if (charset === null) return null;
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return null;
  }
}

/**
 * Browsers write the query of a URL in the encoding of the page, all else in UTF-8. As what comes back is a URL that stands in
 * ASCII, the bytes of its query have to be written so now.
 */
function withAsciiQuery(raw: string, charset: string | null): string {
  const query = raw.indexOf('?');
  if (query < 0 || charset === 'utf-8') return raw;
  const written = raw
    .slice(query)
    .replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  return raw.slice(0, query) + written;
}

/** HTML §13.2.5.72, as of a value: `&copy=1` is no reference there. */
function withoutReferences(text: string): string {
  let value = '';
  const ignore = (): void => undefined;
  const source = `<a b="${text.replaceAll('"', '&quot;')}">`;
  const tokenizer = new Tokenizer(
    {},
    {
      onattribdata: (from, to) => void (value += source.slice(from, to)),
      onattribentity: (point) => void (value += String.fromCodePoint(point)),
      onattribend: ignore,
      onattribname: ignore,
      oncdata: ignore,
      onclosetag: ignore,
      oncomment: ignore,
      ondeclaration: ignore,
      onend: ignore,
      onopentagend: ignore,
      onopentagname: ignore,
      onprocessinginstruction: ignore,
      onselfclosingtag: ignore,
      ontext: ignore,
      ontextentity: ignore,
    },
  );
  tokenizer.write(source);
  tokenizer.end();
  return value;
}
