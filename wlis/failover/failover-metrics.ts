import { Labelled } from '../../proxy/base/labelled.js';
import { Counter } from '../../proxy/base/metrics.js';
import type { FailureReason } from '../choice/choice.js';

/** What is counted of documents that are got from those who hold them. */
export class FailoverMetrics {
  /** Answers, by who gave the first bytes of them; `primary-direct` without proof, from the origin itself. */
  readonly answers = new Labelled(['role'], () => new Counter(), 16);
  /** Requests to nodes that led to nothing, by why: `behind` for those who do not hold this, or only something older. */
  readonly failovers = new Labelled(['reason'], () => new Counter(), 16);
  /** What cannot be true, by why and from whom. */
  readonly refused = new Labelled(['reason', 'url'], () => new Counter(), 500);
  /** Bodies that broke off, and were continued from another node. */
  readonly continued = new Counter();
  /** Bodies that nobody could continue. */
  readonly broken = new Counter();
  /** Answers that only an expired head proves. */
  readonly unconfirmed = new Counter();
  /** Requests that were sent to another node because one was slower than usual. */
  readonly hedged = new Counter();

  failed(reason: FailureReason | null): void {
    this.failovers.of(reason ?? 'behind').add();
  }
}
