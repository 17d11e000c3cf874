import type { DirectoryControl, DirectoryFigures } from '../../wlis/directory/directory-control.js';
import type { Registry, Sample } from '../base/metrics.js';

/** So many peers have samples of their own. */
const mostPeers = 64;

/** Adds what a node knows of namespaces that others hold. */
export function describeDirectory(registry: Registry, directory: Pick<DirectoryControl, 'figures'>): void {
  const figures = (): DirectoryFigures => directory.figures();
  const gauges = [
    ['willis_directory_namespaces', 'Namespaces of others that are known.', () => figures().namespaces],
    ['willis_directory_authorities', 'Authorities whose root is known.', () => figures().authorities],
    ['willis_directory_names', 'Statements of names that are believed.', () => figures().names],
    ['willis_directory_bytes', 'Statements that are kept in memory.', () => figures().bytes],
    ['willis_directory_calls', 'Namespaces that are being learned or asked for.', () => figures().underWay],
  ] as const;
  for (const [name, help, value] of gauges) registry.read({ type: 'gauge', name, help, value });
  registry.add({
    ...{ type: 'counter', name: 'willis_directory_refused_total', labels: ['reason'] },
    help: 'Statements of others that were not believed.',
    read: () => Object.entries(figures().refused).map(([reason, value]): Sample => ({ labels: [reason], value })),
  });
  registry.add({
    ...{ type: 'counter', name: 'willis_directory_records_total', labels: ['peer', 'result'] },
    help: 'Statements that peers have handed on: news, known, refused, or passedOver until somebody needs them.',
    read: () =>
      peersIn(figures()).flatMap(({ url, records }) =>
        Object.entries(records).map(([result, value]): Sample => ({ labels: [url, result], value: value as number })),
      ),
  });
  registry.add({
    ...{ type: 'counter', name: 'willis_directory_received_bytes_total', labels: ['peer'] },
    help: 'What peers have sent of statements.',
    read: () => peersIn(figures()).map(({ url, received }): Sample => ({ labels: [url], value: received })),
  });
  registry.add({
    ...{ type: 'gauge', name: 'willis_directory_peer_up', labels: ['peer'] },
    help: 'Whether a peer has answered when it was asked last.',
    read: () =>
      peersIn(figures()).map(({ url, failures }): Sample => ({ labels: [url], value: failures === 0 ? 1 : 0 })),
  });
}

const peersIn = ({ peers }: ReturnType<DirectoryControl['figures']>) => peers.slice(0, mostPeers);
