import { Labelled } from '../../proxy/base/labelled.js';
import { Counter } from '../../proxy/base/metrics.js';

/** What is counted of documents that have mirrors. */
export class MirrorCounts {
  /** By whose bytes came first: `original`, `mirror`, or `memory` where what was learned of the original answered. */
  readonly answers = new Labelled(['by'], () => new Counter(), 3);
  /** Mirrors that were asked in vain, or not asked, by why. */
  readonly passedOver = new Labelled(['reason'], () => new Counter(), 20);
  /** Contents that went on at another place. */
  readonly continued = new Counter();
}
