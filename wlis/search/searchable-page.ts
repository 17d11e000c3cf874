import { brotliDecompressSync, constants, gunzipSync } from 'node:zlib';
import { extractPage } from '../html/extract/page-extract.js';
import { pageText } from '../html/extract/page-text.js';
import type { SearchablePage } from './page-index.js';
import { withoutSigns, wordsIn } from './search-words.js';
import type { HeldPage } from './thread-calls.js';

/**
 * What is to be found of a page: null if it says that it is not to be.
 * @throws Error if its coding cannot be undone
 */
export function searchablePage(page: HeldPage, held: Buffer): SearchablePage | null {
  const { namespace, path, digest, type, coding } = page;
  const content = decoded(held, coding);
  const place = { namespace, path, digest };
  if (!isHtml(type)) {
    const { text } = pageText(content.subarray(0, longestPlain), type);
    const line = text.slice(0, longestText).replace(/\s+/g, ' ').trim();
    return { ...place, title: nameOf(path), headings: '', description: '', text: withFewTerms(withoutSigns(line)) };
  }
  const { title, headings, description, text, robots } = extractPage(content, type);
  if (robots.noindex) return null;
  const named = withoutSigns(title || (headings[0] ?? '')) || nameOf(path);
  const joined = withoutSigns(headings.join(' ').slice(0, longestHeadings));
  const said = { headings: joined, description: withoutSigns(description), text: withFewTerms(withoutSigns(text)) };
  return { ...place, title: named, ...said };
}

const isHtml = (type: string): boolean => /^text\/html(?:$|[\s;])/i.test(type);

/** Of a text that has no title: the last part of its path, as people read it. */
function nameOf(path: string): string {
  const name = path.split('/').findLast((part) => part !== '') ?? path;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** The text up to where it has as many different words as are taken of one page. */
function withFewTerms(text: string): string {
  const terms = new Set<string>();
  for (const { term, from } of wordsIn(text)) {
    terms.add(term);
    if (terms.size > mostTerms) return text.slice(0, from);
  }
  return text;
}

/** Of what is longer, or was cut, the beginning. */
function decoded(held: Buffer, coding: string | null): Buffer {
  switch (coding) {
    case null:
      return held;
    case 'gzip':
      return gunzipSync(held, { maxOutputLength: longestDecoded, finishFlush: constants.Z_SYNC_FLUSH });
    case 'br':
      return brotliDecompressSync(held, {
        maxOutputLength: longestDecoded,
        finishFlush: constants.BROTLI_OPERATION_FLUSH,
      });
    default:
      throw new Error(`a coding that is not known: ${coding.slice(0, 40)}`);
  }
}

/** What is far longer than this when its coding is undone is made to be. */
const longestDecoded = 16 * 1024 * 1024;
const longestPlain = 256 * 1024;
/** In characters. */
const longestText = 256 * 1024;
const longestHeadings = 32 * 1024;
/** What says more different words than the largest manuals is made to fill the index. */
const mostTerms = 12_000;
