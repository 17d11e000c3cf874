import { elapsedMonotonic, toSeconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import { Histogram, latencyBounds } from '../base/histogram.js';
import { Labelled } from '../base/labelled.js';
import { Counter } from '../base/metrics.js';
import { statusLabel } from '../base/status-label.js';

/** What is counted of the exchanges with origin servers and parent proxies, tunnels and upgrades apart. */
export class UpstreamMetrics {
  /** Bytes of messages, heads and framing included, TLS excluded. */
  readonly sent = new Counter();
  readonly received = new Counter();
  /** Requests sent again because a kept connection turned out closed. */
  readonly retries = new Counter();
  /** Requests by what came of them: the status of the answer, or the code of the failure. */
  readonly results = new Labelled(['result'], () => new Counter(), 300);
  /** From sending a request until the head of its answer. */
  readonly firstByte = new Histogram(latencyBounds);

  constructor(private readonly clock: Clock) {}

  begin(): MonotonicMs {
    return this.clock.monotonic();
  }

  answered(since: MonotonicMs, status: number): void {
    this.results.of(statusLabel(status)).add();
    this.firstByte.observe(toSeconds(elapsedMonotonic(since, this.clock.monotonic())));
  }

  failed(code: string): void {
    this.results.of(code).add();
  }
}
