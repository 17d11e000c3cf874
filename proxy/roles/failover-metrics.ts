import type { FailoverMetrics } from '../../wlis/failover/failover-metrics.js';
import type { Registry } from '../base/metrics.js';

/** Adds what is counted of documents that are got from those who hold them. */
export function describeFailover(registry: Registry, metrics: FailoverMetrics): void {
  registry.readEach({
    ...{ type: 'counter', name: 'willis_failover_answers_total', of: metrics.answers },
    help: 'Answers for known namespaces: by a replica or the primary, proven; relayed, or from the origin itself.',
    value: ({ value }) => value,
  });
  registry.readEach({
    ...{ type: 'counter', name: 'willis_failover_passed_over_total', of: metrics.failovers },
    help: 'Nodes that were asked in vain for a document or its content, by why.',
    value: ({ value }) => value,
  });
  registry.readEach({
    ...{ type: 'counter', name: 'willis_failover_refused_total', of: metrics.refused },
    help: 'What cannot be true, by what is wrong with it and who sent it.',
    value: ({ value }) => value,
  });
  const counters = [
    ['willis_failover_continued_total', 'Contents that went on at another node.', metrics.continued],
    ['willis_failover_broken_total', 'Contents with which nobody could go on.', metrics.broken],
    ['willis_failover_unconfirmed_total', 'Answers that only an expired head proves.', metrics.unconfirmed],
    ['willis_failover_hedged_total', 'Requests that were sent to a second node because of hedging.', metrics.hedged],
  ] as const;
  for (const [name, help, counter] of counters) {
    registry.read({ type: 'counter', name, help, value: () => counter.value });
  }
}
