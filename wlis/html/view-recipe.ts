/**
 * What is to be made of a page for a browser. The same recipe and the same original always make the same view, byte for byte:
 * nothing in it changes by itself as time passes.
 */
export interface ViewRecipe {
  /** Raw URLs of the same bytes elsewhere, the best first: a `link` of `rel="duplicate"` for each (RFC 6249) in the head. */
  readonly duplicates: readonly DuplicateLink[];
  /** ASCII markup of the bar, which comes first in the body; null for none. */
  readonly bar: Bar | null;
  /** Null where URLs stay as they are. */
  readonly urls: UrlRewriting | null;
}

export interface DuplicateLink {
  readonly url: string;
  /** Country, two letters in lower case; null where it is not said. */
  readonly area: string | null;
}

export interface Bar {
  readonly markup: string;
  /** Where its form leads; null if it has none. A policy of the page may forbid that. */
  readonly formAction: string | null;
}

/** Makes URLs work that do not as they stand in a page. */
export interface UrlRewriting {
  /** Tells this from other ways to do that. */
  readonly key: string;
  /**
   * @param url as it stands in the page, without character references and the white space around it; perhaps relative
   * @param kind whether it is the `href` of `base`, by which all relative ones go
   * @returns what takes its place; null if it stays
   */
  rewritten(url: string, kind: 'link' | 'base'): string | null;
}
