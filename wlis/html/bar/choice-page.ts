import type { EpochMs, Milliseconds } from '../../../config/units.js';
import { escapeHtml, htmlPage } from '../../../proxy/http/html-page.js';
import { clipped, serverState, timeWords, timeWordsAfter, type ServerFacts } from './server-words.js';

/** What a client-side proxy tells of a page, and of the servers that have it, on a page of its own. */
export interface ChoicePageFacts {
  /** Name of the node. */
  readonly node: string;
  /** As the reader asks for it, and what it really is. */
  readonly shown: string;
  readonly uri: string;
  /** Null for what has but one server. */
  readonly part: PartFacts | null;
  /** What is stored here of it, for this reader. */
  readonly stored: readonly StoredFacts[];
}

export interface PartFacts {
  /** URL with which all of it begins. */
  readonly part: string;
  readonly kind: 'group' | 'mirrors';
  /** How far the newest version is that somebody has proven; null if nobody has. */
  readonly newest: { readonly seq: number; readonly issued: EpochMs } | null;
  readonly will: WillFacts;
  readonly servers: readonly OfferedFacts[];
  /** Hidden fields of the form. */
  readonly hidden: Readonly<Record<string, string>>;
}

export type WillFacts =
  | { readonly kind: 'none' }
  | { readonly kind: 'rule'; readonly match: string }
  | { readonly kind: 'chosen'; readonly url: string }
  | { readonly kind: 'gone'; readonly from: string };

export interface OfferedFacts extends ServerFacts {
  /** By which it is chosen. */
  readonly value: string;
  /** How long it lately took to begin to answer; null where that was never measured. */
  readonly latency: Milliseconds | null;
  /** Whether it has this page. */
  readonly has: boolean;
}

export interface StoredFacts {
  readonly receivedAt: EpochMs;
  readonly freshUntil: EpochMs | null;
  /** Whom it came from; null for the server of the page itself. */
  readonly from: string | null;
}

/** The page, which works without scripts, and which no site can imitate: browsers say that it is of `proxy.wlis`. */
export function choicePage(facts: ChoicePageFacts): string {
  const { node, shown, uri, part, stored } = facts;
  const really = shown === uri ? '' : `<p>This is really <code>${text(uri, longest)}</code>.</p>\n`;
  return htmlPage({
    title: 'Where a page comes from',
    head: '<meta name="robots" content="noindex">\n',
    style,
    main: `<p class="by">Your proxy <b>${text(node, 60)}</b> says</p>
<h1>Where this page comes from</h1>
<p><a href="${escapeHtml(shown)}">${text(shown, longest)}</a></p>
${really}${part === null ? alone : served(part)}${kept(stored)}`,
  });
}

/** The page for who comes without an address. */
export const askingPage = (node: string): string =>
  htmlPage({
    title: 'Where a page comes from',
    style,
    main: `<p class="by">Your proxy ${text(node, 60)} asks</p>
<h1>Of which page?</h1>
<form action="/choice"><label>Its address <input name="of" type="url" required size="40"></label> <button>Tell me</button></form>
`,
  });

const alone = `<p>It is got from its own server. No other server is known here that has it.</p>
`;

function served({ part, kind, newest, will, servers, hidden }: PartFacts): string {
  const fields = Object.entries(hidden).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  const shown = servers.slice(0, mostShown);
  const left = servers.length - shown.length;
  const isOpen = will.kind !== 'rule';
  const rows = shown.map((server) => row(server, will, isOpen)).join('\n');
  return `<p>All pages below <code>${text(part, longest)}</code> are to be had from ${haveIt(kind, servers.length)}.${version(newest)}</p>
<h2>Your choice</h2>
<p>${willWords(will)}</p>
<form method="post" action="/choice">${fields.join('')}
<table><thead><tr><th scope="col">Server</th><th scope="col">State</th><th scope="col">Answers within</th>${isOpen ? '<th scope="col">Choose</th>' : ''}</tr></thead>
<tbody>
${rows}
</tbody></table>
${left > 0 ? `<p>And ${left} more.</p>\n` : ''}${isOpen && (will.kind === 'chosen' || will.kind === 'gone') ? '<p><button name="server" value="">Let the proxy choose</button></p>\n' : ''}</form>
<p class="note">Whom you choose is asked for every page of this site from the next one on, and nobody else, until you say otherwise. What is sent with your password or cookie, or changes something, goes to the primary all the same.</p>
`;
}

const haveIt = (kind: PartFacts['kind'], count: number): string =>
  `${count} ${count === 1 ? 'server' : 'servers'}${kind === 'mirrors' ? ', as this proxy was told by whoever runs it' : ''}`;

const version = (newest: PartFacts['newest']): string =>
  newest === null ? '' : ` The newest version that was proven is number ${newest.seq}, of ${timeWords(newest.issued)}.`;

function willWords(will: WillFacts): string {
  switch (will.kind) {
    case 'none':
      return 'You leave it to this proxy, which asks whoever is best at the time.';
    case 'rule':
      return `Whoever runs this proxy has chosen for all its readers, by the rule for <code>${text(will.match, longest)}</code>.`;
    case 'chosen':
      return `You have chosen <b>${text(will.url, longest)}</b>.`;
    case 'gone':
      return `You had chosen <b>${text(will.from, longest)}</b>. It is no longer among those who have this site, and so this proxy chooses.`;
  }
}

function row(server: OfferedFacts, will: WillFacts, isOpen: boolean): string {
  const { url, value, latency, has } = server;
  const isChosen = will.kind === 'chosen' && will.url === url;
  const state = has ? serverState(server) : `${serverState(server)}; has another part`;
  const label = `aria-label="Choose ${text(nameOf(url), longest)}"`;
  const button = isChosen ? 'chosen' : `<button name="server" value="${escapeHtml(value)}" ${label}>Choose</button>`;
  const time = latency === null ? 'unknown' : `${Math.max(1, Math.round(latency))} ms`;
  const cells = [escapeHtml(state), time, ...(isOpen ? [button] : [])].map((cell) => `<td>${cell}</td>`);
  return `<tr><th scope="row">${text(url, longest)}</th>${cells.join('')}</tr>`;
}

function kept(stored: readonly StoredFacts[]): string {
  if (stored.length === 0) return '<h2>Stored here</h2>\n<p>Nothing of it.</p>\n';
  const items = stored.map(({ receivedAt, freshUntil, from }) => {
    const fresh =
      freshUntil === null ? 'has to be confirmed each time' : `fresh until ${timeWordsAfter(receivedAt, freshUntil)}`;
    return `<li>Received ${timeWords(receivedAt)}${from === null ? '' : ` from ${text(from, longest)}`}; ${fresh}.</li>`;
  });
  return `<h2>Stored here</h2>\n<ul>${items.join('\n')}</ul>\n`;
}

const nameOf = (url: string): string => url.replace(/^[a-z]+:\/\//, '');

const text = (value: string, most: number): string => escapeHtml(clipped(value, most));

const longest = 300;
const mostShown = 100;

const style = `
a{color:inherit}
p,li,th{overflow-wrap:anywhere}
.by{margin:0;color:var(--soft)}
.note{color:var(--soft);font-size:.9rem}
table{width:100%;margin:1rem 0;border-collapse:collapse;text-align:left}
th,td{padding:.45rem .9rem .45rem 0;border-bottom:1px solid var(--line);vertical-align:baseline;font-weight:400}
thead th{color:var(--soft);font-size:.85rem}
tbody th{min-width:13em;font-weight:600}
td:nth-of-type(2),td:nth-of-type(3){white-space:nowrap}
button,input{padding:.35rem .7rem;border:1px solid var(--soft);border-radius:.4rem;background:var(--card);color:inherit;font:inherit}
button{cursor:pointer}
input{max-width:100%}
:focus-visible{outline:.15rem solid var(--ink);outline-offset:.15rem}
@media (max-width:36rem){main{padding:1.2rem}thead{position:absolute;clip-path:inset(50%)}tr,tbody th,td{display:block}tr{padding:.5rem 0;border-bottom:1px solid var(--line)}tbody th,td{min-width:0;border:0;padding:.15rem 0}}
`;
