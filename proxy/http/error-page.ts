import type { Fault } from '../base/errors.js';
import { alternativesMarkup, copyMarkup, type ErrorOffers } from './error-offers.js';
import { escapeHtml, htmlPage } from './html-page.js';

/** What an error answer tells, in either form. */
export interface ErrorReport extends ErrorOffers {
  readonly status: number;
  /** Reason phrase. */
  readonly reason: string;
  readonly code: string;
  /** One sentence for a person. */
  readonly title: string;
  /** What exactly happened; empty where that is nobody's business. */
  readonly detail: string;
  readonly fault: Fault;
  readonly retryable: boolean;
  readonly nodeName: string;
  readonly id: string;
  /** What was asked for; null if that was not understood. */
  readonly href: string | null;
}

/**
 * The page for a person whose request failed: what happened, to which address, on which part of the way, what to try, and
 * what to quote when asking for help. Self-contained, without scripts; everything that came from outside is escaped.
 */
export function errorPage(report: ErrorReport): string {
  const { status, reason, title, detail, code, id, href } = report;
  return htmlPage({
    title: `${status} ${title}`,
    head: '<meta name="robots" content="noindex">\n',
    style,
    main: `<p class="status">${status} ${escapeHtml(reason)}</p>
<h1>${escapeHtml(title)}</h1>
${href === null ? '' : `<p class="address"><code>${escapeHtml(shortened(href))}</code></p>\n`}${way(report)}
<p>${whoseFault(report)}</p>
${copyMarkup(report)}<h2>What to try</h2>
<p>${whatToTry(report)}</p>
${alternativesMarkup(report)}<dl>
${detail === '' || isListed(report) ? '' : entry('Detail', shortened(detail))}${entry('Code', code)}${entry('Request', id)}${entry('Proxy', report.nodeName)}</dl>
`,
  });
}

/** Whether its detail says what the list of servers says already. */
const isListed = ({ code, alternatives }: ErrorReport): boolean =>
  (code === 'content-unreachable' || code === 'chosen-failed') &&
  alternatives !== null &&
  alternatives.tried.length > 0;

/** The stations of a request, with a mark on the one where it failed. */
function way({ fault, code, nodeName, href, alternatives }: ErrorReport): string {
  const [client, node, server] = stations[fault];
  const host = href === null ? '' : hostOf(href);
  const further = isParents(code)
    ? [station('Parent proxy', '', server), station('Server', host, ['unreached', 'not reached'])]
    : alternatives !== null && alternatives.tried.length > 1
      ? [station('Servers', `${alternatives.tried.length} asked`, server)]
      : [station('Server', alternatives?.tried[0] === undefined ? host : hostOf(alternatives.tried[0].url), server)];
  const begun = [station('Your request', '', client), station('Proxy', nodeName, node)];
  if (isOfName(code)) return `<ol>${[...begun, station('Name', host, ['failed', 'leads nowhere'])].join('')}</ol>`;
  return `<ol>${[...begun, ...further].join('')}</ol>`;
}

function station(label: string, name: string, [state, word]: Station): string {
  const small = name === '' ? '' : `<small>${escapeHtml(name)}</small>`;
  return `<li class="${state}"><b>${label}</b>${small}<span>${word}</span></li>`;
}

/** Whether a name leads to no server. */
const isOfName = (code: string): boolean => code.startsWith('name-');

/** Whether it failed at the proxy that this one goes through, and not at the server. */
const isParents = (code: string): boolean => code.startsWith('parent-');

type Station = readonly ['passed' | 'failed' | 'unreached', string];

const stations: Readonly<Record<Fault, readonly [Station, Station, Station]>> = {
  downstream: [
    ['failed', 'not accepted'],
    ['passed', 'working'],
    ['unreached', 'not asked'],
  ],
  internal: [
    ['passed', 'received'],
    ['failed', 'failed here'],
    ['unreached', ''],
  ],
  upstream: [
    ['passed', 'received'],
    ['passed', 'working'],
    ['failed', 'failed here'],
  ],
};

const whose: Readonly<Record<Fault, string>> = {
  downstream: 'The proxy is working; it could not accept this request as it was sent.',
  internal: 'The fault is with this proxy. Your request and the server are not the cause.',
  upstream: 'The proxy is working; the server, or the way to it, is not.',
};

function whoseFault({ code, fault, alternatives }: ErrorReport): string {
  if (isParents(code)) return behindParent;
  if (isOfName(code)) return nobodyAsked;
  if (alternatives !== null && alternatives.tried.length > 1) return ofSeveral;
  return advice[code] === notYours ? byRule : whose[fault];
}

const nobodyAsked = 'The proxy is working; there is no server that it could have asked.';

const behindParent = 'The proxy is working; the parent proxy, through which it reaches others, is not.';

const ofSeveral = 'The proxy is working; none of the servers that it asked has given this.';

const byRule = 'The proxy is working; its rules do not allow this request.';

const tryAgain = 'Wait a moment and try again. If it keeps failing, the server may be down for everyone.';

function whatToTry({ code, fault, retryable, alternatives, choose }: ErrorReport): string {
  if (alternatives !== null && choose !== null) {
    const other = code === 'chosen-failed' ? 'choose another server' : 'choose a server yourself';
    return `Wait a moment and try again, or <a href="${escapeHtml(choose)}">${other}</a>.`;
  }
  return advice[code] ?? (retryable ? tryAgain : usual[fault]);
}

const usual: Readonly<Record<Fault, string>> = {
  downstream: 'Check the address and try again. If a program sent the request, it needs correcting.',
  internal: 'Try again. If it keeps failing, tell whoever runs this proxy, with the code and the request below.',
  upstream: tryAgain,
};

const notYours = 'If you need this, ask whoever runs this proxy; the code below tells which rule applies.';

/** Where something better than the usual can be said. */
const advice: Readonly<Record<string, string>> = {
  'dns-failed': 'Check the spelling of the host name. If it is right, the name may not exist any more.',
  'name-unknown':
    'Check the spelling of the name. If it is right, this proxy may not have heard of it yet: try again later.',
  'name-circle': 'Tell whoever runs this proxy, or whoever gave the name, with the detail below.',
  'tls-only': 'Ask for it by its own https address, which the detail below tells.',
  'connect-refused': 'Check the port in the address. If it is right, the server is not running: try again later.',
  'tls-certificate':
    'The server cannot be shown to be the one you asked for, so nothing was sent to it. Tell whoever runs that server.',
  'access-denied': notYours,
  'authentication-required':
    'Load the page again and give the user name and password that whoever runs this proxy gave you.',
  'client-not-allowed': notYours,
  'destination-refused': notYours,
  'port-refused': notYours,
  'parent-refused': 'The parent proxy may have a rule against this address: ask whoever runs it.',
  'parent-authentication': 'Tell whoever runs this proxy, with the code and the request below.',
  'not-cached': 'Ask without “only if cached”, or again when there is a connection to the server.',
  'not-found': 'Check the address.',
  misdirected: 'Check the host name in the address: this server has other sites, but not this one.',
  loop: 'The proxy was told to forward this to itself. Tell whoever runs it, with the code and the request below.',
  'uri-too-long': 'Shorten the address.',
  'fields-too-large': 'Delete the cookies of this site and try again.',
  'too-many-attempts': 'Wait a minute, then try again with the right password.',
  'too-busy': 'Wait a moment and try again.',
};

const entry = (name: string, value: string): string => `<dt>${name}</dt><dd><code>${escapeHtml(value)}</code></dd>\n`;

const longest = 500;

const shortened = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text);

const hostOf = (href: string): string => shortened(/^[a-z]+:\/\/([^/?#]+)/i.exec(href)?.[1] ?? '');

const style = `
main{max-width:40rem}
h1{margin:.1rem 0 .8rem}
h2{margin-bottom:.2rem}
.status,small,dt,ol span{color:var(--soft);font-size:.85rem}
.status{margin:0}
ol{display:flex;gap:.5rem;margin:1.5rem 0;padding:0;list-style:none}
ol>li{flex:1;min-width:0;padding-top:.6rem;border-top:.25rem solid var(--line)}
ul{margin:.3rem 0;padding:0;list-style:none}
ul>li{padding:.35rem 0;border-top:1px solid var(--line)}
ul>li:first-child{border-top:0}
li b,li small,ol span{display:block;overflow-wrap:anywhere}
a{color:inherit}
@media (max-width:26rem){main{padding:1.5rem 1.25rem}ol{display:block}ol>li{margin:.6rem 0;padding:0 0 0 .7rem;border-top:0;border-left:.25rem solid var(--line)}}
ol>.passed{border-color:var(--good)}
ol>.failed{border-color:var(--bad)}
.failed span{color:var(--bad);font-weight:600}
dl{display:grid;align-items:baseline;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:1.5rem 0 0;padding-top:1rem;border-top:1px solid var(--line)}
dt,dd{margin:0;line-height:1.6}
`;
