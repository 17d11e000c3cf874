import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { Namespace } from '../namespace.js';
import type { FoundPages, PagePlace } from './page-index.js';
import type { SearchQuery } from './search-query.js';

/** How much of a namespace can be found. */
export interface SearchedNamespace {
  readonly namespace: Namespace;
  /** Pages that could be found. */
  readonly pages: number;
  /** Those that are. */
  readonly indexed: number;
  /** Whether the others are none, and no change is on its way into the index. */
  readonly isComplete: boolean;
}

export interface SearchAnswer extends FoundPages {
  /** Those that were searched. */
  readonly namespaces: readonly SearchedNamespace[];
}

/** What a node offers of search. */
export interface SearchControl {
  /** Whether this node keeps an index at all. */
  readonly isOn: boolean;
  /** Those that can be searched now. */
  readonly namespaces: readonly SearchedNamespace[];
  /** Where browsers see a page at this node; null where it shows none. */
  mirrorOf(place: PagePlace): string | null;
  /**
   * @param namespaces of those that can be searched
   * @param signal nobody waits for an answer any more
   * @throws (rejects with) SearchBusy, IndexLost
   */
  search(query: SearchQuery, namespaces: readonly Namespace[], signal: AbortSignal): Promise<SearchAnswer>;
}

/** So long an answer is waited for. */
export const searchPatience: Milliseconds = milliseconds(3000);
