import type { Views } from '../../../wlis/html/views/views.js';
import type { Registry } from '../../base/metrics.js';

/** Adds what has become of pages on their way to browsers. */
export function describeViews(
  registry: Registry,
  { counts, underWay }: { counts: Views['counts']; underWay: () => number },
): void {
  registry.readEach({
    ...{ type: 'counter', name: 'willis_views_total' },
    help: 'Views of pages that were answered: from the store, made, joined while they were made, or client for 304.',
    of: counts.views,
    value: ({ value }) => value,
  });
  registry.readEach({
    ...{ type: 'counter', name: 'willis_views_not_made_total' },
    help: 'Answers that say that they are HTML and were left as they are, by why.',
    of: counts.originals,
    value: ({ value }) => value,
  });
  registry.read({
    ...{ type: 'gauge', name: 'willis_views_under_way' },
    help: 'Views that are being made; 128 at most.',
    value: underWay,
  });
}
