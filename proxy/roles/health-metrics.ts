import type { NodeHealth } from '../../wlis/choice/choice.js';
import type { ChoiceLayer } from './finding/choice-layer.js';
import type { Registry, Sample } from '../base/metrics.js';

/** Adds what a node has seen of others to its metrics. Of very many those that were asked last are told of. */
export function describeHealth(
  registry: Registry,
  { health, failures, readers }: Pick<ChoiceLayer, 'health' | 'failures' | 'readers'>,
): void {
  const nodes = (value: (one: NodeHealth) => number | null) => (): Sample[] =>
    [...health.all()].slice(-mostTold).flatMap(([url, one]) => {
      const known = value(one);
      return known === null ? [] : [{ labels: [url], value: known }];
    });
  const gauges: readonly [name: string, help: string, value: (one: NodeHealth) => number | null][] = [
    [
      'willis_node_latency_seconds',
      'What a node takes to begin an answer.',
      ({ latency }) => (latency === null ? null : latency / 1000),
    ],
    ['willis_node_bandwidth_bytes', 'What long answers of a node bring in a second.', ({ bandwidth }) => bandwidth],
    ['willis_node_requests', 'Requests to a node that are under way.', ({ underWay }) => underWay],
    [
      'willis_node_down',
      'Whether a node looks down, so that others are asked.',
      ({ breaker }) => Number(breaker !== 'closed'),
    ],
  ];
  for (const [name, help, value] of gauges) {
    registry.add({ type: 'gauge', name, help, labels: ['url'], read: nodes(value) });
  }
  registry.add({
    ...{ type: 'gauge', name: 'willis_node_lies', labels: ['url'] },
    help: 'How often a node has sent what cannot be true, while that is remembered.',
    read: () =>
      health
        .blamed()
        .slice(-mostTold)
        .map(({ url, times }) => ({ labels: [url], value: times })),
  });
  registry.readEach({
    ...{ type: 'counter', name: 'willis_node_failures_total', of: failures },
    help: 'Requests to other nodes that failed, by how.',
    value: ({ value }) => value,
  });
  registry.read({
    type: 'gauge',
    name: 'willis_nodes',
    help: 'Other nodes of which anything is known.',
    value: () => health.size,
  });
  registry.read({
    type: 'gauge',
    name: 'willis_reader_choices',
    help: 'Servers that readers have chosen for parts of the web and stay with; at most 10000.',
    value: () => readers.size,
  });
}

const mostTold = 200;
