/** An entity-tag (RFC 9110 §8.8.3). */
export interface EntityTag {
  readonly weak: boolean;
  /** What stands between the quotes. */
  readonly opaque: string;
}

/** One entity-tag, as `ETag` carries it; null if it is none, such as one without quotes. */
export function parseEntityTag(value: string): EntityTag | null {
  const weak = value.startsWith('W/');
  const start = weak ? 3 : 1;
  const end = value.length - 1;
  if (end < start || value.charCodeAt(start - 1) !== QUOTE || value.charCodeAt(end) !== QUOTE) return null;
  for (let i = start; i < end; i++) {
    const c = value.charCodeAt(i);
    if (c < 0x21 || c > 0xff || c === QUOTE || c === 0x7f) return null;
  }
  return { weak, opaque: value.slice(start, end) };
}

/**
 * The value of `If-Match` or `If-None-Match`: `*`, or a list (RFC 9110 §13.1.1, §13.1.2). Members that are no entity-tags
 * are left out; a `*` among others is one of those. A comma between quotes does not separate, and a backslash is a
 * character like any other.
 */
export function parseEntityTagList(value: string): '*' | readonly EntityTag[] {
  if (value === '*') return '*';
  const tags: EntityTag[] = [];
  listMember.lastIndex = 0;
  for (let match = listMember.exec(value); match !== null; match = listMember.exec(value)) {
    if (match[2] !== undefined) tags.push({ weak: match[1] !== undefined, opaque: match[2] });
  }
  return tags;
}

/** As sent: `"…"` or `W/"…"`. */
export const formatEntityTag = ({ weak, opaque }: EntityTag): string => `${weak ? 'W/' : ''}"${opaque}"`;

/** Strong comparison (RFC 9110 §8.8.3.2): the same characters, and neither is weak. */
export const stronglyEqual = (a: EntityTag, b: EntityTag): boolean => !a.weak && !b.weak && a.opaque === b.opaque;

/** Weak comparison (RFC 9110 §8.8.3.2): the same characters. */
export const weaklyEqual = (a: EntityTag, b: EntityTag): boolean => a.opaque === b.opaque;

const QUOTE = 0x22;

const tag = '(W/)?"([\\x21\\x23-\\x7e\\x80-\\xff]*)"';

/** A tag up to the next comma, or else whatever stands there; quoted commas belong to it while the quotes pair up. */
const listMember = new RegExp(`[ \\t,]*(?:${tag}[ \\t]*(?=,|$)|(?:"[^"]*"|[^,"])+|".*)`, 'gys');
