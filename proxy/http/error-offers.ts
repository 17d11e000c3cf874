import type { Alternatives, OfferedCopy } from '../base/errors.js';
import { escapeHtml } from './html-page.js';

/** What a reader whose request failed can have instead. */
export interface ErrorOffers {
  readonly alternatives: Alternatives | null;
  readonly copy: OfferedCopy | null;
  /** URL of the page where a reader chooses between servers; null if there is none for this address. */
  readonly choose: string | null;
  /** The address that was asked for, if a link can lead there. */
  readonly again: string | null;
}

/** Who was asked and who was not, in words; empty where there was nobody to choose between. */
export function alternativesMarkup({ alternatives }: ErrorOffers): string {
  if (alternatives === null) return '';
  const { tried, left } = alternatives;
  const asked = tried.length === 0 ? '' : `<h2>Asked in vain</h2>\n${list(tried)}`;
  const unasked = left.length === 0 ? '' : `<h2>Not asked</h2>\n${list(left)}`;
  return asked + unasked;
}

/** That there is a copy, how old it is, and how to have it; empty where there is none. */
export function copyMarkup({ copy, again }: ErrorOffers): string {
  if (copy === null) return '';
  const link = again === null ? 'Load it without forcing' : `<a href="${escapeHtml(again)}">Show the copy</a>`;
  return `<h2>A copy is here</h2>\n<p>The proxy has a copy from ${copyWords(copy)}. ${link}.</p>\n`;
}

/** `21 Nov 2026, 14:03 UTC, 3 hours old` */
export function copyWords({ asOf, age }: OfferedCopy): string {
  const [, day, time] = /^\w+, (\d+ \w+ -?\d+) (\d\d:\d\d)/.exec(new Date(asOf).toUTCString()) ?? [];
  const from =
    day === undefined || time === undefined ? 'a time that is not known' : `${day.replace(/^0/, '')}, ${time} UTC`;
  const [unit, size] = units.find(([, size]) => age >= size) ?? ['', 0];
  if (size === 0) return `${from}, less than a minute old`;
  const count = Math.floor(age / size);
  return `${from}, ${count} ${unit}${count === 1 ? '' : 's'} old`;
}

/** The same for programs: members of a problem (RFC 9457 §3.2). */
export function offeredMembers({ alternatives, copy, choose }: ErrorOffers): Record<string, unknown> {
  return {
    ...(alternatives !== null && { tried: alternatives.tried.slice(0, mostListed) }),
    ...(alternatives !== null && { left: alternatives.left.slice(0, mostListed) }),
    ...(choose !== null && alternatives !== null && { choose }),
    ...(copy !== null && { copy: { asOf: isoTime(copy), age: Math.floor(copy.age) } }),
  };
}

const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

const isoTime = ({ asOf }: OfferedCopy): string | null => {
  const date = new Date(asOf);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
};

function list(servers: readonly { readonly url: string; readonly because: string | null }[]): string {
  const items = servers.slice(0, mostListed).map(({ url, because }) => {
    const reason = because === null ? '' : `<small>${escapeHtml(shortened(because))}</small>`;
    return `<li><code>${escapeHtml(shortened(url))}</code>${reason}</li>\n`;
  });
  const more = servers.length - items.length;
  return `<ul>\n${items.join('')}${more > 0 ? `<li>and ${more} more</li>\n` : ''}</ul>\n`;
}

/** A group may have any number of members. */
const mostListed = 16;

const shortened = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text);
const longest = 200;
