/** An entity-tag (RFC 9110 §8.8.3). */
export interface EntityTag {
  readonly weak: boolean;
  /** What stands between the quotes. */
  readonly opaque: string;
}

/** One entity-tag, as `ETag` carries it; null if it is none, such as one without quotes. */
export function parseEntityTag(value: string): EntityTag | null {
  const match = wholeTag.exec(value);
  return match === null ? null : { weak: match[1] !== undefined, opaque: match[2] ?? '' };
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

const tag = '(W/)?"([\\x21\\x23-\\x7e\\x80-\\xff]*)"';
const wholeTag = new RegExp(`^${tag}$`);

/** A tag up to the next comma, or else whatever stands there; quoted commas belong to it while the quotes pair up. */
const listMember = new RegExp(`[ \\t,]*(?:${tag}[ \\t]*(?=,|$)|(?:"[^"]*"|[^,"])+|".*)`, 'gys');
