/** What a page, or the fields it came with, asks of robots. */
export interface RobotsWords {
  /** Not to be found by its words. */
  readonly noindex: boolean;
  /** Its links are not to be followed. */
  readonly nofollow: boolean;
}

/**
 * The words of `<meta name="robots" content=…>`, and of `X-Robots-Tag` of an answer. Words for one robot by name
 * (`otherbot: noindex`) concern it alone, and so do all that follow it up to the next name.
 */
export function robotsWords(value: string): RobotsWords {
  let noindex = false;
  let nofollow = false;
  let forAnother = false;
  for (const part of value.toLowerCase().split(',')) {
    const [, name, word = ''] = /^\s*(?:([^\s:]+)\s*:)?\s*(\S*)/.exec(part) ?? [];
    if (name !== undefined && !withValue.has(name)) forAnother = true;
    if (forAnother) continue;
    if (word === 'noindex' || word === 'none') noindex = true;
    if (word === 'nofollow' || word === 'none') nofollow = true;
  }
  return { noindex, nofollow };
}

/** Both, or either: who says no counts. */
export const both = (one: RobotsWords, other: RobotsWords): RobotsWords => ({
  noindex: one.noindex || other.noindex,
  nofollow: one.nofollow || other.nofollow,
});

/** Words that have a value after a colon, and are no names of robots. */
const withValue = new Set(['max-snippet', 'max-image-preview', 'max-video-preview', 'unavailable_after']);
