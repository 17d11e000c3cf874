/**
 * What a style sheet refers to: `url(…)` and `@import "…"`, without those in comments, as they stand but for escapes; at most
 * 4096 characters each.
 */
export function styleReferences(style: string): string[] {
  const references: string[] = [];
  for (const [, quoted, apostrophed, bare, imported] of style.matchAll(reference)) {
    const written = quoted ?? apostrophed ?? bare ?? imported;
    if (written !== undefined && written.trim() !== '') references.push(unescaped(written.trim()));
  }
  return references;
}

/** A comment, `url("…")`, `url('…')`, `url(…)`, or `@import "…"`. No part can be read in two ways, so that none is read often. */
const reference =
  /\/\*[^]*?(?:\*\/|$)|url\(\s{0,99}(?:"((?:[^"\\\n]|\\.){0,4096})"|'((?:[^'\\\n]|\\.){0,4096})'|([^\s"'()\\]{1,4096}))|@import\s{1,99}["']([^"'\\\n]{1,4096})["']/gi;

/** CSS Syntax §4.3.7. */
const unescaped = (text: string): string =>
  text.replace(/\\(?:([0-9a-f]{1,6})\s?|(\n)|(.))/gi, (_, code?: string, line?: string, character?: string) => {
    if (line !== undefined) return '';
    if (code === undefined) return character ?? '';
    const point = Number.parseInt(code, 16);
    return point === 0 || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)
      ? '\ufffd'
      : String.fromCodePoint(point);
  });
