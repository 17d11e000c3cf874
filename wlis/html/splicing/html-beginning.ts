import { hasUtf8Mark, pageCharset, type PageCharset } from './page-charset.js';

export type HtmlBeginning =
  | ({ readonly kind: 'document' } & PageCharset)
  /** No page that a view is made of. */
  | { readonly kind: 'other'; readonly because: 'charset' | 'fragment' | 'not HTML' }
  /** It takes more bytes to tell. */
  | { readonly kind: 'more' };

/**
 * What the first bytes of an answer are, of which its fields say that it is HTML. White space, comments, processing instructions and
 * a byte order mark aside, a document begins with the document type `html`, or with a tag that only documents have: `html`, `head`,
 * `body`, `frameset`, `title`, `meta`, `base`. If it begins with `script`, `style`, `link`, `noscript` or `template`, one of these has to
 * follow within the bytes given. What begins with another tag is a piece of a page, for a script to put in somewhere; and what begins
 * with text is not HTML at all.
 *
 * @param bytes without content codings: the first 1024 at least, or all
 * @param contentType the value of the field
 * @param isWhole whether no more will come; `more` is said of no whole answer, and not of 64 KiB and more
 */
export function htmlBeginning(bytes: Buffer, contentType: string, isWhole: boolean): HtmlBeginning {
  if (!isWhole && bytes.length < leastBytes) return { kind: 'more' };
  const charset = pageCharset(bytes, contentType);
  if (charset === null) return { kind: 'other', because: 'charset' };
  const kind = kindOf(bytes.toString('latin1', hasUtf8Mark(bytes) ? 3 : 0, mostBytes));
  if (kind === 'document') return { kind, ...charset };
  if (kind === 'open' && !isWhole && bytes.length < mostBytes) return { kind: 'more' };
  return { kind: 'other', because: kind === 'fragment' ? kind : 'not HTML' };
}

/** Browsers look for a `meta` in so many. */
const leastBytes = 1024;
/** Of comments before anything else. */
const mostBytes = 65_536;

/** `open`: it ended within what tells nothing. */
function kindOf(text: string): 'document' | 'fragment' | 'text' | 'open' {
  let at = 0;
  for (;;) {
    at = afterSpace(text, at);
    if (at === text.length) return 'open';
    if (text[at] !== '<') return 'text';
    const second = text[at + 1];
    if (second === undefined) return 'open';
    if (second !== '!' && second !== '?') return kindOfTag(text, at);
    if (/^<!doctype/i.test(text.slice(at, at + 9))) return kindOfDoctype(text, at);
    const end = text.startsWith('<!--', at) ? commentEnd(text, at) : text.indexOf('>', at);
    if (end < 0) return 'open';
    at = end + 1;
  }
}

function kindOfDoctype(text: string, at: number): 'document' | 'text' | 'open' {
  const [whole = '', name] = /^<!doctype[\t\n\f\r ]*([^\t\n\f\r >]*)/i.exec(text.slice(at, at + 256)) ?? [];
  if (at + whole.length === text.length) return 'open';
  return name?.toLowerCase() === 'html' ? 'document' : 'text';
}

function kindOfTag(text: string, at: number): 'document' | 'fragment' | 'text' | 'open' {
  const [whole = '', name = ''] = /^<([a-z][^\t\n\f\r />]*)/i.exec(text.slice(at, at + 256)) ?? [];
  if (name === '') return 'text';
  if (at + whole.length === text.length) return 'open';
  if (ofDocuments.has(name.toLowerCase())) return 'document';
  if (!before.has(name.toLowerCase())) return rootsOfOthers.test(name) ? 'text' : 'fragment';
  return /<(?:html|head|title|body|meta)[\t\n\f\r />]/i.test(text.slice(at)) ? 'document' : 'fragment';
}

const ofDocuments = new Set(['html', 'head', 'body', 'frameset', 'title', 'meta', 'base']);
const before = new Set(['script', 'style', 'link', 'noscript', 'template']);
const rootsOfOthers = /^(?:rss|feed|rdf:rdf|svg|math|urlset|sitemapindex|opml|[a-z]+:[a-z]+)$/i;

function afterSpace(text: string, at: number): number {
  const space = /[\t\n\f\r ]*/y;
  space.lastIndex = at;
  return at + (space.exec(text)?.[0].length ?? 0);
}

/** Where the last character of a comment is (HTML §13.2.5.43 to 52); -1 if it does not end. Looks at nothing behind that. */
function commentEnd(text: string, at: number): number {
  const end = /--(!?)>/g;
  // the dashes that begin it may be those of `-->`, and not of `--!>`
  end.lastIndex = at + 2;
  for (let found = end.exec(text); found !== null; found = end.exec(text)) {
    if (found[1] === '' || found.index >= at + 4) return end.lastIndex - 1;
    end.lastIndex = found.index + 1;
  }
  return -1;
}
