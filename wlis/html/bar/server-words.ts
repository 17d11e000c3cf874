import type { EpochMs } from '../../../config/units.js';
import { escapeHtml } from '../../../proxy/http/html-page.js';

/** A server that has a page, as its readers are told of it. */
export interface ServerFacts {
  /** `https://m1.example:8443`; of the origin server itself its own. */
  readonly url: string;
  /** `origin`: the server that the page is of, where nothing is known of copies. */
  readonly role: 'primary' | 'replica' | 'mirror' | 'origin';
  /** Null while it looks well. `since` is null where that is not known. */
  readonly down: { readonly since: EpochMs | null } | null;
  /** Changes that it is known to lack; `epoch`: it is in an epoch that has ended. Null where nothing is known of that. */
  readonly behind: number | 'epoch' | null;
}

/** `replica; 3 changes behind; down since 21 November 2026, 19:30 UTC` */
export function serverState({ role, down, behind }: ServerFacts): string {
  const parts: string[] = [roleWords[role]];
  if (behind !== null && behind !== 0) parts.push(behindWords(behind));
  if (down !== null) parts.push(down.since === null ? 'down' : `down since ${timeWords(down.since)}`);
  return parts.join('; ');
}

export const behindWords = (behind: number | 'epoch'): string => {
  if (behind === 'epoch') return 'of an edition that has been replaced';
  return `${behind} ${behind === 1 ? 'change' : 'changes'} behind`;
};

export const roleWords: Readonly<Record<ServerFacts['role'], string>> = {
  primary: 'primary',
  replica: 'replica',
  mirror: 'mirror',
  origin: 'the server of the page itself',
};

/** `m1.example:8443`: what stands in a URL between its scheme and its path; `own name` where it is long, the end is left out. */
export function serverName(url: string): string {
  const [, authority = url] = /^[a-z]+:\/\/([^/?#]*)/.exec(url) ?? [];
  return clipped(authority, longestName);
}

/** To the minute, so that what is shown changes no more often: `21 November 2026, 19:30 UTC`. */
export function timeWords(at: EpochMs): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return 'a time that is not known';
  const month = months[date.getUTCMonth()] as string;
  return `${date.getUTCDate()} ${month} ${date.getUTCFullYear()}, ${twoDigits(date.getUTCHours())}:${twoDigits(date.getUTCMinutes())} UTC`;
}

/** The same without the date where that was said: `19:40 UTC`. @param said a time that stands before it; null for none */
export function timeWordsAfter(said: EpochMs | null, at: EpochMs): string {
  const [date, time = ''] = timeWords(at).split(', ');
  return said !== null && timeWords(said).startsWith(`${date}, `) ? time : timeWords(at);
}

/** The end is left out of what is longer. */
export const clipped = (text: string, most: number): string => {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
};

/**
 * Text from outside as content, or as a quoted attribute's value, in ASCII alone: nothing of it is ever markup, and it is
 * read the same in whatever encoding of ASCII the page is.
 */
export const markupOf = (text: string): string =>
  escapeHtml(text).replace(/[^\x20-\x7e]/gu, (character) => `&#${character.codePointAt(0) as number};`);

const months = [
  ...['January', 'February', 'March', 'April', 'May', 'June'],
  ...['July', 'August', 'September', 'October', 'November', 'December'],
];

const twoDigits = (value: number): string => String(value).padStart(2, '0');

/** A host name may have 253 characters. */
const longestName = 80;
