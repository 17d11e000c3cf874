import type { EpochMs } from '../../../config/units.js';
import { barStyle, roomStyle } from './bar-style.js';
import {
  behindWords,
  clipped,
  markupOf,
  roleWords,
  serverName,
  serverState,
  timeWords,
  timeWordsAfter,
  type ServerFacts,
} from './server-words.js';
import type { Bar } from '../view-recipe.js';

/** What a bar says. All times are absolute: a page with a bar is stored, and nothing in it may become untrue by itself. */
export interface BarFacts {
  /** Name of the node that says it. */
  readonly node: string;
  /** What that node is to whoever reads the page. */
  readonly standing: 'proxy' | 'mirror';
  /** From whom the page came; the node itself where it holds the page (`isOwn`). */
  readonly from: ServerFacts & { readonly isOwn: boolean };
  /** When it was received, or last confirmed; null where that is not known. */
  readonly receivedAt: EpochMs | null;
  /** Until when it counts as fresh; null where it has to be confirmed each time. */
  readonly freshUntil: EpochMs | null;
  /** Whether nobody could confirm that it is still valid. */
  readonly isUnconfirmed: boolean;
  /** Null where readers cannot choose here. */
  readonly choice: BarChoice | null;
  /** All servers that have the page, the best first, the one that it came from perhaps among them. */
  readonly servers: readonly OfferedServer[];
  /** How many more there are. */
  readonly more?: number;
  /** URL of a page with the same facts, and more, that no site can imitate; null if there is none. */
  readonly truth: string | null;
}

export interface BarChoice {
  /** Where the form goes. */
  readonly action: string;
  /** Its hidden fields. */
  readonly hidden: Readonly<Record<string, string>>;
  /** The server that the reader has chosen, by its URL; null if he leaves it to the node. */
  readonly chosen: string | null;
  /** Whether he had chosen one that has left since. */
  readonly hasEnded?: boolean;
}

export interface OfferedServer extends ServerFacts {
  /** A link to the same page there, or the value of the form's `server` by which it is chosen; null: it is only named. */
  readonly go:
    { readonly kind: 'link'; readonly href: string } | { readonly kind: 'choice'; readonly value: string } | null;
}

/**
 * The bar with which a page begins: one element of ASCII markup without a script, in a shadow tree of its own. It can be
 * closed, and says whose it is. Forms and links are in the shadow tree, so that the page has none that it has not made.
 */
export function bar(facts: BarFacts): Bar {
  const { choice, servers } = facts;
  const summary = `<summary><b>Willis</b><span>${parts(facts).join('; ')}</span><u>More</u></summary>`;
  const markup =
    `<willis-bar lang="en" dir="ltr"><template shadowrootmode="open"><style>${barStyle}</style>` +
    `<aside aria-label="Where this page comes from, by Willis"><details>${summary}<div>${panel(facts)}</div></details>` +
    '<slot></slot></aside></template>' +
    `<style>${roomStyle}</style><details open><summary aria-label="Close the note by Willis"></summary></details>` +
    '</willis-bar>';
  const asks = choice !== null && servers.some(({ go }) => go?.kind === 'choice');
  return { markup, formAction: asks ? choice.action : null };
}

/** What the line says, the most important first: the end may not be seen. */
function parts({ standing, from, receivedAt, freshUntil, isUnconfirmed, choice }: BarFacts): string[] {
  const name = `<b>${markupOf(serverName(from.url))}</b>`;
  const isChosen = choice !== null && choice.chosen === from.url;
  const all = [
    from.isOwn ? 'Copy held here' : `From ${name} (${roleWords[from.role]}${isChosen ? ', your choice' : ''})`,
  ];
  if (choice?.hasEnded === true) all.push('whom you had chosen no longer has this site');
  if (isUnconfirmed) all.push('nobody could confirm it');
  if (from.behind !== null && from.behind !== 0) all.push(behindWords(from.behind));
  // mirrors say a time that stays the same for a while
  const then = standing === 'mirror' ? 'confirmed after' : from.isOwn ? 'confirmed' : 'received';
  if (receivedAt !== null) all.push(`${then} ${timeMarkup(receivedAt)}`);
  if (from.behind === 0) all.push('up to date then');
  if (freshUntil !== null) all.push(`fresh until ${markupOf(timeWordsAfter(receivedAt, freshUntil))}`);
  return all;
}

function panel(facts: BarFacts): string {
  const { node, standing, servers, choice, truth } = facts;
  const name = `<b>${markupOf(clipped(node, longestNode))}</b>`;
  const who =
    standing === 'proxy'
      ? `This line was added by your proxy, ${name}. It is no part of the page.`
      : `This line was added by ${name}, which holds a copy of the site. It is no part of the page.`;
  const shown = servers.slice(0, mostShown);
  const left = servers.length - shown.length + (facts.more ?? 0);
  const list = shown.length === 0 ? '' : `<ul>${shown.map((one) => `<li>${offer(one, facts)}</li>`).join('')}</ul>`;
  const asks = choice !== null && shown.some(({ go }) => go?.kind === 'choice');
  const offered = list === '' ? '' : asks ? form(choice, list) : `<p>The page is to be had from:</p>${list}`;
  const more = truth === null ? '' : `<p><a href="${markupOf(truth)}">${moreText(left)}</a></p>`;
  return `<p>${parts(facts).join('; ')}.</p><p><i>${who}</i></p>${offered}${more}`;
}

const moreText = (left: number): string =>
  left === 0 ? 'All that is known of this page' : `${left} more servers, and all that is known of this page`;

function form({ action, hidden, chosen }: BarChoice, list: string): string {
  const fields = Object.entries(hidden).map(
    ([name, value]) => `<input type="hidden" name="${markupOf(name)}" value="${markupOf(value)}">`,
  );
  const back = chosen === null ? '' : '<p><button name="server" value="">Let the proxy choose</button></p>';
  return (
    `<form method="post" action="${markupOf(action)}">${fields.join('')}` +
    `<p>Get this page, and all that follow of this site, from:</p>${list}${back}</form>`
  );
}

function offer(server: OfferedServer, { from, choice }: BarFacts): string {
  const { url, go } = server;
  const name = markupOf(serverName(url));
  const notes = [serverState(server)];
  if (choice !== null && choice.chosen === url) notes.push('your choice');
  else if (!from.isOwn && url === from.url) notes.push('this page is from it');
  const note = `<i>${markupOf(notes.join('; '))}</i>`;
  switch (go?.kind) {
    case 'link':
      return `<a href="${markupOf(go.href)}">${name}</a>${note}`;
    case 'choice':
      return `<button name="server" value="${markupOf(go.value)}">${name}</button>${note}`;
    case undefined:
      return `<b>${name}</b> ${note}`;
  }
}

const timeMarkup = (at: EpochMs): string => markupOf(timeWords(at));

/** A node may call itself what it likes. */
const longestNode = 60;
const mostShown = 10;
