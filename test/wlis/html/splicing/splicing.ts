import assert from 'node:assert/strict';
import { htmlBeginning } from '../../../../wlis/html/splicing/html-beginning.js';
import { HtmlSplicer } from '../../../../wlis/html/splicing/html-splicer.js';
import { PagePolicy } from '../../../../wlis/html/splicing/page-policy.js';
import type { PageCharset } from '../../../../wlis/html/splicing/page-charset.js';
import type { UrlRewriting, ViewRecipe } from '../../../../wlis/html/view-recipe.js';
import type { Undone } from './page-dom.js';

export const pageUri = 'http://docs.example/manual/page.html';

/** With what closes or ends much, where it is put in the wrong place. */
export const bar = {
  markup:
    '<willis-bar lang="en"><template shadowrootmode="open"><style>a>b{}</style><form>1<p>2</form></template>' +
    "<style>c{}</style><details title='-->'>3</details></willis-bar>",
  formAction: null,
};

export const link = '<link rel="duplicate" href="http://m1.example/a?b&amp;c">';

export const mark = '/mirror/label';

/** What is written from the root gets a mark. */
export const rooted: UrlRewriting = {
  key: 'rooted',
  rewritten: (url) => (/^\/(?!\/)/.test(url) ? mark + url : null),
};

export const recipe = (changes: Partial<ViewRecipe> = {}): ViewRecipe => ({
  duplicates: [{ url: 'http://m1.example/a?b&c', area: 'de' }],
  bar,
  urls: null,
  ...changes,
});

export interface SplicingOptions {
  readonly recipe?: ViewRecipe;
  /** How many bytes a chunk has; all together without. */
  readonly size?: number;
  readonly contentType?: string;
  /** Of the fields of the page. */
  readonly policies?: readonly string[];
}

/** A page as a view, as latin1: a character for each byte. */
export function splicedBytes(page: Buffer, options: SplicingOptions = {}): Buffer {
  const { size = Math.max(1, page.length), contentType = 'text/html' } = options;
  const splicer = splicerOf(options, charsetOf(page, contentType));
  const pieces: Buffer[] = [];
  for (let at = 0; at < page.length; at += size) pieces.push(...splicer.push(page.subarray(at, at + size)));
  return Buffer.concat([...pieces, ...splicer.end()]);
}

export const spliced = (page: string, options: SplicingOptions = {}): string =>
  splicedBytes(Buffer.from(page), { contentType: 'text/html; charset=utf-8', ...options }).toString();

export function splicerOf({ recipe: made, policies = [] }: SplicingOptions, charset: PageCharset): HtmlSplicer {
  return new HtmlSplicer(made ?? recipe(), { page: PagePolicy.of(pageUri, policies), uri: pageUri, charset });
}

export function charsetOf(page: Buffer, contentType: string): PageCharset {
  const beginning = htmlBeginning(page, contentType, true);
  if (beginning.kind === 'document') return beginning;
  // what is no document is spliced in tests only
  assert.equal(beginning.kind, 'other');
  return { charset: 'utf-8', metaEnd: 0 };
}

/** A view without what was put into it. */
export const undone: Undone = {
  isInserted: ({ tagName, attrs }) =>
    tagName === 'willis-bar' ||
    (tagName === 'link' && attrs.some(({ name, value }) => name === 'rel' && value === 'duplicate')),
  value: (element, attribute, value) => {
    // white space in URLs is written in one of several ways
    if (attribute !== '#text')
      return value
        .replaceAll(mark, '')
        .replace(/[\t\n\r]/g, '')
        .trim()
        .replaceAll('%20', ' ');
    // where scripts run it is text, in which markup was rewritten for those without
    return element === 'noscript' ? '' : value;
  },
};

export const unspliced: Undone = { ...undone, isInserted: () => false };
