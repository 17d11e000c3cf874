import type { Registry } from '../base/metrics.js';
import type { SearchCounts, SearchFigures } from './search/search-figures.js';

/** What can be seen of the search at a node. */
export interface SearchView {
  readonly counts: SearchCounts;
  readonly figures: SearchFigures;
}

/** Adds what can be found by its words, and how often somebody looks. */
export function describeSearch(registry: Registry, search: SearchView): void {
  const states = ['indexed', 'pending', 'lacking', 'leftOut', 'refused'] as const;
  registry.add({
    ...{ type: 'gauge', name: 'willis_search_pages', labels: ['state'] },
    help: 'Pages of what may be searched: indexed, pending, lacking their content, leftOut without room, or refused.',
    read: () => states.map((state) => ({ labels: [state], value: search.figures[state] })),
  });
  const gauges = [
    ['willis_search_namespaces', 'Namespaces that are searched.', () => search.figures.namespaces],
    ['willis_search_bytes', 'What the index takes in memory.', () => search.figures.bytes],
    ['willis_search_limit_bytes', 'How much it may take.', () => search.figures.limit],
  ] as const;
  for (const [name, help, value] of gauges) registry.read({ type: 'gauge', name, help, value });
  registry.readEach({
    ...{ type: 'counter', name: 'willis_search_questions_total', of: search.counts.questions },
    help: 'Searches, by what came of them: found, nothing, busy, or failed.',
    value: ({ value }) => value,
  });
  registry.read({
    ...{ type: 'histogram', name: 'willis_search_seconds', help: 'From a question to its answer.' },
    value: () => search.counts.times,
  });
  registry.read({
    ...{ type: 'counter', name: 'willis_search_index_lost_total' },
    help: 'Indexes that ended by themselves, and were made anew.',
    value: () => search.figures.lost,
  });
}
