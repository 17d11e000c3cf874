import { escapeHtml, htmlPage } from '../../proxy/http/html-page.js';
import type { Namespace } from '../namespace.js';
import type { FoundPage } from './page-index.js';
import type { SearchAnswer, SearchControl, SearchedNamespace } from './search-control.js';
import { furthestOffset, longestQuery } from './search-query.js';
import { searchQueryOf, type SearchRequest } from './search-request.js';

/** What of a search a person is shown. */
export interface SearchPageFacts {
  /** Of the node, for people. */
  readonly name: string;
  /** Where it is asked: a path. */
  readonly at: string;
  /** Whether browsers can learn to search here. */
  readonly isDescribed: boolean;
  readonly namespaces: readonly SearchedNamespace[];
  /** What was asked; null if that was not understood. */
  readonly request: SearchRequest | null;
  /** Null if nothing was asked, or it could not be answered. */
  readonly answer: SearchAnswer | null;
  /** Why there is no answer; null if there is one, or nothing was asked. */
  readonly problem: string | null;
  readonly mirrorOf: SearchControl['mirrorOf'];
}

/** The page on which people search, and see what was found. */
export function searchPage(facts: SearchPageFacts): string {
  const { name, at, isDescribed, request, problem } = facts;
  const typed = request?.typed ?? '';
  const link = `<link rel="search" type="application/opensearchdescription+xml" href="${at}/opensearch.xml" title="${escapeHtml(name)}">\n`;
  return htmlPage({
    title: typed === '' ? `Search at ${name}` : `${typed} – search at ${name}`,
    head: `<meta name="robots" content="noindex">\n<meta name="referrer" content="no-referrer">\n${isDescribed ? link : ''}`,
    style,
    main: `<h1>Search</h1>
${form(facts, typed)}${problem === null ? '' : `<p role="alert" class="bad">${escapeHtml(problem)}</p>\n`}${found(facts)}${reach(facts)}`,
  });
}

function form({ at, request, namespaces }: SearchPageFacts, typed: string): string {
  return `<form role="search" action="${at}">
<label for="q">Words</label>
<input id="q" name="q" type="search" maxlength="${longestQuery}" autocomplete="off" value="${escapeHtml(typed)}"${typed === '' ? ' autofocus' : ''}>
${choiceOf(namespaces, request?.namespace ?? null)}<button>Search</button>
</form>
`;
}

function choiceOf(namespaces: readonly SearchedNamespace[], chosen: Namespace | null): string {
  if (namespaces.length < 2) return '';
  const all = namespaces.slice(0, mostOffered).map(({ namespace }) => namespace);
  if (chosen !== null && !all.includes(chosen)) all.push(chosen);
  const options = all.map((one) => {
    const text = escapeHtml(one);
    return `<option value="${text}"${one === chosen ? ' selected' : ''}>${text}</option>`;
  });
  return `<label for="namespace">In</label>
<select id="namespace" name="namespace"><option value="">all that can be searched here</option>${options.join('')}</select>
`;
}

function found(facts: SearchPageFacts): string {
  const { request, answer } = facts;
  if (request === null || answer === null) return '';
  const { offset } = request.query;
  const items = answer.pages.map((page) => item(page, facts));
  const list = items.length === 0 ? '' : `<ol start="${offset + 1}">\n${items.join('')}</ol>\n`;
  return `<p role="status">${escapeHtml(summary(request, answer))}</p>\n${list}${further(facts, request, answer)}`;
}

function summary({ typed, query }: SearchRequest, { match, total, pages }: SearchAnswer): string {
  if (total === 0) return `No page has ${query.terms.length === 1 ? 'the word' : 'any of the words'} “${typed}”.`;
  const [first, last] = [query.offset + 1, query.offset + pages.length];
  const shown = pages.length === 0 || pages.length === total ? '' : `, ${first} to ${last} shown`;
  const how = {
    all: '',
    similar: ' No page has just these words; these have similar ones.',
    some: ' None has all of these words; these have some.',
  };
  return `${total} ${total === 1 ? 'page' : 'pages'} found${shown}.${how[match]}`;
}

function item(page: FoundPage, { mirrorOf }: SearchPageFacts): string {
  const uri = page.namespace + page.path;
  const mirror = mirrorOf(page);
  const title = escapeHtml(page.title);
  const copy =
    mirror === null
      ? ''
      : `<p><a class="copy" href="${escapeHtml(mirror)}" aria-label="Copy held here: ${title}">Copy held here</a></p>\n`;
  const snippet = page.snippet.map(({ text, isFound }) =>
    isFound ? `<mark>${escapeHtml(text)}</mark>` : escapeHtml(text),
  );
  return `<li><h2><a href="${escapeHtml(uri)}">${title}</a></h2>
<p class="uri">${escapeHtml(uri)}</p>
<p>${snippet.join('')}</p>
${copy}</li>
`;
}

function further({ at }: SearchPageFacts, request: SearchRequest, { total }: SearchAnswer): string {
  const { offset, limit } = request.query;
  const to = (there: number, rel: string, text: string): string =>
    `<a rel="${rel}" href="${escapeHtml(at + searchQueryOf(request, there))}">${text}</a>`;
  const links = [
    ...(offset > 0 ? [to(Math.max(0, offset - limit), 'prev', 'Those before')] : []),
    ...(offset + limit < total && offset + limit <= furthestOffset ? [to(offset + limit, 'next', 'Those after')] : []),
  ];
  return links.length === 0 ? '' : `<nav aria-label="Other results">${links.join(' ')}</nav>\n`;
}

/** What can be found at all. */
function reach({ name, namespaces }: SearchPageFacts): string {
  const [pages, indexed] = [sum(namespaces, ({ pages }) => pages), sum(namespaces, ({ indexed }) => indexed)];
  const isComplete = namespaces.every((one) => one.isComplete);
  const what =
    namespaces.length === 0
      ? `${name} holds nothing that may be searched.`
      : isComplete
        ? `${name} finds ${indexed} ${indexed === 1 ? 'page' : 'pages'}: all that it holds and that may be searched.`
        : `${name} finds ${indexed} of the ${pages} pages that it has and that may be searched; the others are not in its index, or not yet.`;
  return `<footer><p>${escapeHtml(what)}</p></footer>\n`;
}

const sum = (all: readonly SearchedNamespace[], value: (one: SearchedNamespace) => number): number =>
  all.reduce((total, one) => total + value(one), 0);

/** More are searched together only, or by their names. */
const mostOffered = 100;

const style = `
form{display:grid;grid-template-columns:1fr auto;gap:.4rem .6rem;margin:1rem 0}
label{grid-column:1/-1;color:var(--soft);font-size:.875rem}
input,select,button{min-width:0;padding:.5rem .7rem;border:1px solid var(--soft);border-radius:.4rem;background:var(--paper);color:var(--ink);font:inherit}
input:only-of-type{grid-column:1}
select{grid-column:1/-1}
button{grid-column:2;grid-row:2;cursor:pointer;font-weight:600}
a{color:var(--link)}
:root{--link:#0b57a4}
@media (prefers-color-scheme:dark){:root{--link:#9cc7f5}}
a:focus-visible,input:focus-visible,select:focus-visible,button:focus-visible{outline:3px solid var(--link);outline-offset:2px}
ol{margin:1rem 0;padding:0;list-style:none}
li{margin:1.4rem 0}
li h2{margin:0;font-size:1.1rem;line-height:1.3;overflow-wrap:anywhere}
li p{margin:.15rem 0;overflow-wrap:anywhere}
.uri,.copy,footer{color:var(--soft);font-size:.875rem}
.bad{color:var(--bad)}
mark{background:none;color:inherit;font-weight:700;text-decoration:underline;text-decoration-color:var(--good);text-decoration-thickness:2px}
nav{display:flex;gap:1.5rem;margin:1.5rem 0}
footer{margin-top:2rem;border-top:1px solid var(--line)}
@media (forced-colors:active){mark{background:Mark;color:MarkText}}
`;
