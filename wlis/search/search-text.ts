import type { SearchAnswer, SearchControl } from './search-control.js';
import type { SearchRequest } from './search-request.js';

/** What was found, for programs. */
export interface SearchJson {
  readonly query: string;
  readonly match: SearchAnswer['match'];
  readonly total: number;
  readonly offset: number;
  readonly documents: readonly FoundDocument[];
  readonly namespaces: readonly { readonly namespace: string; readonly pages: number; readonly indexed: number }[];
  /** Whether all that could be found is in the index. */
  readonly complete: boolean;
}

export interface FoundDocument {
  readonly uri: string;
  readonly namespace: string;
  readonly title: string;
  /** Text, without markup. */
  readonly snippet: string;
  /** Where in it what was asked for stands: from ≤ position < to, in UTF-16 code units. */
  readonly found: readonly (readonly [from: number, to: number])[];
  readonly score: number;
  /** Where browsers see it at this node; absent where it shows none. */
  readonly mirror?: string;
}

export function searchJson(
  { typed, query }: SearchRequest,
  { match, total, pages, namespaces }: SearchAnswer,
  mirrorOf: SearchControl['mirrorOf'],
): SearchJson {
  const documents = pages.map((page): FoundDocument => {
    const { namespace, path, title, score, snippet } = page;
    const mirror = mirrorOf(page);
    let text = '';
    const found: [number, number][] = [];
    for (const piece of snippet) {
      if (piece.isFound) found.push([text.length, text.length + piece.text.length]);
      text += piece.text;
    }
    const said = { uri: namespace + path, namespace, title, snippet: text, found, score };
    return mirror === null ? said : { ...said, mirror };
  });
  return {
    ...{ query: typed, match, total, offset: query.offset, documents },
    namespaces: namespaces.map(({ namespace, pages: all, indexed }) => ({ namespace, pages: all, indexed })),
    complete: namespaces.every(({ isComplete }) => isComplete),
  };
}
