import type { FoundDocument, SearchJson } from '../../wlis/search/search-text.js';
import { escapeControls } from '../base/escape.js';
import { counted, countOf } from './counted.js';
import type { TextOptions } from './explanation-text.js';

/** What `willis search` shows to a person. */
export function searchLines(found: SearchJson, text: TextOptions): string {
  const { total, documents, match, query } = found;
  const shown = total > documents.length ? `, ${documents.length} shown` : '';
  const head =
    total === 0 ? `No page has “${escapeControls(query)}”.` : `${countOf(total, 'page')}${shown}${ways[match]}`;
  return [...documents.map((one) => documentLines(one, text)), `${head}\n`, reach(found)].join('');
}

const ways = { all: '', similar: '; none has just these words', some: '; none has all of these words' } as const;

function documentLines({ title, uri, snippet, found }: FoundDocument, { style }: TextOptions): string {
  let [marked, at] = ['', 0];
  for (const [from, to] of found) {
    marked += escapeControls(snippet.slice(at, from)) + style.strong(escapeControls(snippet.slice(from, to)));
    at = to;
  }
  marked += escapeControls(snippet.slice(at));
  return `${style.strong(escapeControls(title))}\n  ${escapeControls(uri)}\n  ${marked}\n\n`;
}

function reach({ complete, namespaces }: SearchJson): string {
  if (namespaces.length === 0) return 'This node holds nothing that may be searched.\n';
  if (complete) return '';
  const sum = (value: (one: (typeof namespaces)[number]) => number): number =>
    namespaces.reduce((total, one) => total + value(one), 0);
  return `Only ${counted(sum(({ indexed }) => indexed))} of ${countOf(
    sum(({ pages }) => pages),
    'page',
  )} are in the index.\n`;
}
