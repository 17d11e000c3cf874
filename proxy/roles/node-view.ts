import type { ReplicationControl } from '../../replication/replication-control.js';
import type { Registry, Sample } from '../base/metrics.js';
import type { DirectoryControl } from '../../wlis/directory/directory-control.js';
import { describeDirectory } from './directory-metrics.js';
import type { DiskState } from './disk-layer.js';
import { describeDocuments, type DocumentsUsage } from './documents-metrics.js';
import type { StoreUsage } from '../cache/response-store.js';
import type { HttpUpstream } from '../forward/http-upstream.js';
import type { ChoiceLayer } from './finding/choice-layer.js';
import { describeFailover } from './failover-metrics.js';
import { describeHealth } from './health-metrics.js';
import type { Failover } from '../../wlis/failover/failover.js';
import type { MirrorLayer } from './finding/mirror-layer.js';
import { describeMirrors } from './mirror-metrics.js';
import type { Views } from '../../wlis/html/views/views.js';
import type { ListenerCounters } from '../http/listener-counters.js';
import { describeReplication } from './replication-metrics.js';
import { describeRetention, type Retained } from './retention-metrics.js';
import { describeViews } from './views/view-metrics.js';
import { describeSearch, type SearchView } from './search-metrics.js';

/** What can be seen of a node from outside while it runs. */
export interface NodeView {
  /** By the names of the listeners, those that are no longer wanted included. */
  listeners(): Iterable<readonly [name: string, listener: ListenerView]>;
  upstreams(): Iterable<Pick<HttpUpstream, 'connections'>>;
  /** What the parts of the store hold, by their names: `memory`, and `disk` if there is one. */
  stores(): Iterable<readonly [store: string, usage: StoreUsage]>;
  retained(): Retained;
  /** Null if nothing is stored on disk. */
  disk(): DiskState | null;
  /** Tunnels and upgrades, those being opened included. */
  takenOver(): number;
  /** What is published and replicated. */
  readonly replication: Pick<ReplicationControl, 'namespaces' | 'status'>;
  /** What is known of namespaces that others hold. */
  readonly directory: Pick<DirectoryControl, 'figures'>;
  /** What has been seen of other nodes. */
  readonly choice: Pick<ChoiceLayer, 'health' | 'failures' | 'readers'>;
  /** What is known of mirrors that are ordinary servers. */
  readonly mirrors: Pick<MirrorLayer, 'ground'>;
  /** What is got from those who hold namespaces. */
  readonly failover: Pick<Failover, 'metrics'>;
  /** What becomes of pages on their way to browsers. */
  readonly views: Pick<Views, 'counts' | 'underWay'>;
  /** What can be found by its words. */
  readonly search: SearchView;
  /** Empty while no namespace is held. */
  documents(): readonly DocumentsUsage[];
}

export interface ListenerView {
  /** Open connections, tunnels included. */
  readonly connections: number;
  readonly counters: ListenerCounters;
}

/** Adds what can be seen of a node to its metrics. */
export function describeNode(registry: Registry, node: NodeView): void {
  describeListeners(registry, node);
  describeUpstreams(registry, node);
  describeStore(registry, node);
  describeRetention(registry, () => node.retained());
  describeReplication(registry, node.replication);
  describeDirectory(registry, node.directory);
  describeHealth(registry, node.choice);
  describeMirrors(registry, node.mirrors.ground);
  describeFailover(registry, node.failover.metrics);
  describeViews(registry, { counts: node.views.counts, underWay: () => node.views.underWay });
  describeSearch(registry, node.search);
  describeDocuments(registry, () => node.documents());
}

function describeListeners(registry: Registry, node: NodeView): void {
  const bySide = (value: (listener: ListenerView) => number) => (): Sample[] =>
    [...node.listeners()].map(([side, listener]) => ({ labels: [side], value: value(listener) }));
  const byKind = (counts: (counters: ListenerCounters) => Readonly<Record<string, number>>) => (): Sample[] =>
    [...node.listeners()].flatMap(([side, { counters }]) =>
      Object.entries(counts(counters)).map(([kind, value]) => ({ labels: [side, kind], value })),
    );
  registry.add({
    ...{ type: 'gauge', name: 'willis_connections_open', labels: ['side'] },
    help: 'Open connections of clients, tunnels included.',
    read: bySide(({ connections }) => connections),
  });
  registry.add({
    ...{ type: 'counter', name: 'willis_connections_total', labels: ['side'] },
    help: 'Connections of clients that were let in.',
    read: bySide(({ counters }) => counters.accepted),
  });
  registry.add({
    ...{ type: 'counter', name: 'willis_connections_made_room_total', labels: ['side'] },
    help: 'Idle connections that were ended to make room for new ones.',
    read: bySide(({ counters }) => counters.madeRoom),
  });
  registry.add({
    ...{ type: 'counter', name: 'willis_connections_refused_total', labels: ['side', 'reason'] },
    help: 'Connections that were not let in.',
    read: byKind(({ refused }) => refused),
  });
  registry.add({
    ...{ type: 'counter', name: 'willis_client_timeouts_total', labels: ['side', 'kind'] },
    help: 'Connections ended because their client took too long.',
    read: byKind(({ timeouts }) => timeouts),
  });
  registry.read({
    ...{ type: 'gauge', name: 'willis_tunnels_open' },
    help: 'Tunnels and upgrades, those being opened included.',
    value: () => node.takenOver(),
  });
}

function describeUpstreams(registry: Registry, node: NodeView): void {
  const sum = (value: (pool: HttpUpstream['connections']) => number): number => {
    let total = 0;
    for (const { connections } of node.upstreams()) total += value(connections);
    return total;
  };
  registry.add({
    ...{ type: 'gauge', name: 'willis_upstream_connections', labels: ['state'] },
    help: 'Connections to origin servers; those being opened are busy.',
    read: () => [
      { labels: ['busy'], value: sum(({ open, idle }) => open - idle) },
      { labels: ['idle'], value: sum(({ idle }) => idle) },
    ],
  });
  registry.read({
    ...{ type: 'gauge', name: 'willis_upstream_origins' },
    help: 'Origin servers with open connections.',
    value: () => sum(({ origins }) => origins),
  });
  registry.read({
    ...{ type: 'gauge', name: 'willis_upstream_waiting_requests' },
    help: 'Requests that wait for a connection.',
    value: () => sum(({ waiting }) => waiting),
  });
}

function describeStore(registry: Registry, node: NodeView): void {
  const families: readonly [
    type: 'gauge' | 'counter',
    name: string,
    help: string,
    value: (of: StoreUsage) => number,
  ][] = [
    ['gauge', 'willis_store_bytes', 'In use for stored responses: bodies, fields and keys.', ({ bytes }) => bytes],
    ['gauge', 'willis_store_limit_bytes', 'How much may be used.', ({ limit }) => limit],
    ['gauge', 'willis_store_responses', 'Stored responses.', ({ responses }) => responses],
    ['counter', 'willis_store_evictions_total', 'Stored responses evicted to make room.', ({ evicted }) => evicted],
  ];
  for (const [type, name, help, value] of families) {
    const read = (): Sample[] => [...node.stores()].map(([store, usage]) => ({ labels: [store], value: value(usage) }));
    registry.add({ type, name, help, labels: ['store'], read });
  }
  registry.add({
    ...{ type: 'gauge', name: 'willis_store_well', labels: ['store'] },
    help: 'Whether the disk does its work.',
    read: () => onDisk(node, ({ isWell }) => Number(isWell)),
  });
  registry.add({
    ...{ type: 'counter', name: 'willis_store_lost_total', labels: ['store'] },
    help: 'Stored responses forgotten because they could not be read.',
    read: () => onDisk(node, ({ lost }) => lost),
  });
  registry.add({
    ...{ type: 'gauge', name: 'willis_store_partial_responses', labels: ['store'] },
    help: 'Stored responses of which some bytes are missing.',
    read: () => onDisk(node, ({ partial }) => partial),
  });
  registry.add({
    ...{ type: 'gauge', name: 'willis_store_part_bytes', labels: ['store', 'part'] },
    help: 'What counts against the limit of the disk: bodies, records, index beyond them, deleted, reserved for writing.',
    read: () =>
      Object.entries(node.disk()?.parts ?? {}).map(([part, value]: [string, number]) => ({
        labels: ['disk', part],
        value,
      })),
  });
  registry.add({
    ...{ type: 'gauge', name: 'willis_store_deleted_files', labels: ['store'] },
    help: 'Body files that nothing refers to, until somebody has read them or their room is needed.',
    read: () => onDisk(node, ({ deletedFiles }) => deletedFiles),
  });
}

/** What is not known is left out. */
function onDisk(node: NodeView, value: (disk: DiskState) => number | null): Sample[] {
  const disk = node.disk();
  const known = disk && value(disk);
  return known === null ? [] : [{ labels: ['disk'], value: known }];
}
