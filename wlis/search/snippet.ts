import { wordsIn } from './search-words.js';

/** A piece of a text; `isFound` if it is what was asked for. */
export interface SnippetPiece {
  readonly text: string;
  readonly isFound: boolean;
}

export interface SnippetOptions {
  /** As the index has them. */
  readonly terms: ReadonlySet<string>;
  /** Characters that are looked through for them; beyond that the beginning of the text is shown. */
  readonly most: number;
}

/**
 * The part of a text that says most of what was asked for: that with the most different words of it, and of several such
 * the first. Text as it is, to be escaped by whoever shows it.
 */
export function snippetOf(text: string, { terms, most }: SnippetOptions): readonly SnippetPiece[] {
  const found = foundIn(text.slice(0, most), terms);
  const { from, to } = bestWindow(found);
  const begin = wordStart(text, Math.max(0, from - before));
  const end = wordEnd(text, Math.max(to, Math.min(text.length, begin + length)), to);
  const pieces: SnippetPiece[] = begin > 0 ? [{ text: '… ', isFound: false }] : [];
  let at = begin;
  for (const one of found) {
    if (one.to <= at || one.from < begin || one.to > end) continue;
    const start = Math.max(one.from, at);
    if (start > at) pieces.push({ text: text.slice(at, start), isFound: false });
    // pairs of characters lie over each other
    const last = pieces.at(-1);
    if (start === at && last?.isFound === true) pieces.splice(-1, 1, foundPiece(last.text + text.slice(start, one.to)));
    else pieces.push(foundPiece(text.slice(start, one.to)));
    at = one.to;
  }
  if (at < end) pieces.push({ text: text.slice(at, end), isFound: false });
  if (end < text.length) pieces.push({ text: ' …', isFound: false });
  return pieces;
}

const foundPiece = (text: string): SnippetPiece => ({ text, isFound: true });

interface FoundWord {
  readonly term: string;
  readonly from: number;
  readonly to: number;
}

function foundIn(text: string, terms: ReadonlySet<string>): readonly FoundWord[] {
  const found: FoundWord[] = [];
  for (const word of wordsIn(text)) {
    if (!terms.has(word.term)) continue;
    found.push(word);
    if (found.length === mostFound) break;
  }
  return found;
}

/** Where the words lie that are shown: at the beginning if there are none. */
function bestWindow(found: readonly FoundWord[]): { from: number; to: number } {
  let [best, first] = [{ from: 0, to: 0, different: 0 }, 0];
  const counts = new Map<string, number>();
  for (const { term, to } of found) {
    counts.set(term, (counts.get(term) ?? 0) + 1);
    for (let one = found[first]; one !== undefined && to - one.from > length - 2 * before; one = found[first]) {
      if (one.to >= to) break;
      const left = (counts.get(one.term) ?? 1) - 1;
      if (left === 0) counts.delete(one.term);
      else counts.set(one.term, left);
      first++;
    }
    const from = found[first]?.from ?? 0;
    if (counts.size > best.different) best = { from, to, different: counts.size };
  }
  return best;
}

/** The beginning of the word there, if that is near. */
function wordStart(text: string, at: number): number {
  if (at === 0) return 0;
  const space = text.indexOf(' ', at);
  return space >= 0 && space - at < before ? space + 1 : whole(text, at);
}

function wordEnd(text: string, at: number, least: number): number {
  if (at >= text.length) return text.length;
  const space = text.lastIndexOf(' ', at);
  return space >= least && at - space < before ? space : whole(text, at);
}

/** Not in the middle of a character. */
const whole = (text: string, at: number): number => (/[\udc00-\udfff]/.test(text.charAt(at)) ? at + 1 : at);

/** Characters. */
const length = 240;
/** What is shown before the first word. */
const before = 50;
/** What is said more often is common enough to be near the beginning. */
const mostFound = 512;
