import { withoutSigns, wordsIn } from './search-words.js';

/** What somebody asks for. */
export interface SearchQuery {
  /** Different terms, in their order. */
  readonly terms: readonly string[];
  /** Results from this one on. */
  readonly offset: number;
  readonly limit: number;
}

/** In characters. */
export const longestQuery = 256;
/** Words beyond these are not looked for. */
export const mostTerms = 10;
export const usualLimit = 10;
export const mostResults = 50;
/** Nobody looks further. */
export const furthestOffset = 1000;

/** The terms of what was typed; what the pair before says already is left out. */
export function queryTerms(typed: string): readonly string[] {
  const terms = new Set<string>();
  let said = 0;
  for (const { term, to } of wordsIn(withoutSigns(typed))) {
    if (to > said && term !== '') terms.add(term);
    said = to;
  }
  return [...terms].slice(0, mostTerms);
}
