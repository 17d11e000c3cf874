import { Labelled } from '../../../proxy/base/labelled.js';
import { Counter } from '../../../proxy/base/metrics.js';

/** Where a view came from: the store, what somebody else had begun, nowhere for a client that had it, or it was made. */
export type ViewOrigin = 'store' | 'joined' | 'client' | 'made';

/** What is counted of navigations where views are made. */
export class ViewCounts {
  readonly views = new Labelled(['from'], () => new Counter(), 4);
  /** Of pages that are to become views those that stay as they are, by why. */
  readonly originals = new Labelled(['reason'], () => new Counter(), 20);
}
