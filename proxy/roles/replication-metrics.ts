import { toSeconds } from '../../config/units.js';
import type { NamespaceReport } from '../../replication/namespace-report.js';
import { standings } from '../../replication/replica-standing.js';
import type { NamespaceStatus, ReplicationControl } from '../../replication/replication-control.js';
import type { Registry, Sample } from '../base/metrics.js';

/** So many namespaces have samples; `willis_namespaces` counts all of them. */
const mostNamespaces = 500;
/** So many reasons for a refusal have samples of their own; the rest come together. */
const mostReasons = 30;

type View = Pick<ReplicationControl, 'namespaces' | 'status'>;
/** What is not known of a namespace is left out. */
type Value = (report: NamespaceReport) => number | null;
type Described = readonly [type: 'gauge' | 'counter', name: string, help: string, value: Value];

/** Adds how the namespaces fare that are held here. */
export function describeReplication(registry: Registry, replication: View): void {
  const look = new Look(replication);
  registry.read({
    ...{ type: 'gauge', name: 'willis_namespaces', help: 'Namespaces that are published or replicated here.' },
    value: () => look.reports().length,
  });
  registry.add({
    ...{ type: 'gauge', name: 'willis_namespace_state', labels: ['namespace', 'role', 'state'] },
    help: 'In which state a namespace is: in-step, behind, cut-off, joining or held.',
    read: () =>
      look.named().map(({ namespace, role, state }): Sample => ({ labels: [namespace, role, state], value: 1 })),
  });
  for (const [type, name, help, value] of families) {
    const read = (): Sample[] => look.named().flatMap((report) => sample([report.namespace], value(report)));
    registry.add({ type, name, help, labels: ['namespace'], read });
  }
  describeKinds(registry, look);
  describeReplicas(registry, look);
}

const families: readonly Described[] = [
  ['gauge', 'willis_namespace_seq', 'Number of the last change that is held.', (of) => of.version?.seq ?? null],
  [
    'gauge',
    'willis_namespace_known_seq',
    'Number of the last change that was heard of.',
    (of) => of.known?.seq ?? null,
  ],
  ['gauge', 'willis_namespace_lag_changes', 'Changes that were heard of and are not held.', (of) => of.lag.changes],
  [
    ...(['gauge', 'willis_namespace_lag_seconds'] as const),
    'Since the first of them was heard of.',
    (of) => toSeconds(of.lag.time),
  ],
  [
    ...(['gauge', 'willis_namespace_confirmed_age_seconds'] as const),
    'Since the primary published the head that is held, as it was handed down.',
    (of) => (of.version === null ? null : toSeconds(of.confirmedAge)),
  ],
  ['gauge', 'willis_namespace_documents', 'Documents, whether their content is here or not.', (of) => of.documents],
  ['gauge', 'willis_namespace_bytes', 'Content that is here.', (of) => of.bytes],
  ['gauge', 'willis_namespace_wanted_bytes', 'Content that belongs here.', (of) => of.totalBytes],
  ['gauge', 'willis_namespace_children', 'Nodes that are told of changes by this one.', (of) => of.children.length],
  [
    ...(['counter', 'willis_namespace_changes_total'] as const),
    'Changes that were published or taken.',
    (of) => of.counters.changes,
  ],
  ['counter', 'willis_namespace_pulled_bytes_total', 'Content that was pulled.', (of) => of.counters.bytesPulled],
  [
    ...(['counter', 'willis_namespace_spared_bytes_total'] as const),
    'Content of changed documents that was here already.',
    (of) => of.counters.bytesSpared,
  ],
];

function describeKinds(registry: Registry, look: Look): void {
  registry.add({
    ...{ type: 'counter', name: 'willis_namespace_refused_total', labels: ['namespace', 'reason'] },
    help: 'What came from other nodes and was not believed.',
    read: () =>
      look
        .named()
        .flatMap(({ namespace, counters: { refused } }) =>
          bounded(refused).map(([reason, value]): Sample => ({ labels: [namespace, reason], value })),
        ),
  });
  registry.add({
    ...{ type: 'counter', name: 'willis_namespace_notifications_total', labels: ['namespace', 'kind'] },
    help: 'Notifications of changes that were received, that were sent, and that could not be.',
    read: () =>
      look.named().flatMap(({ namespace, counters: of }): Sample[] => [
        { labels: [namespace, 'received'], value: of.notificationsReceived },
        { labels: [namespace, 'sent'], value: of.notificationsSent },
        { labels: [namespace, 'failed'], value: of.notificationsFailed },
      ]),
  });
}

/** Of the namespaces of which this node is the primary. */
function describeReplicas(registry: Registry, look: Look): void {
  registry.add({
    ...{ type: 'gauge', name: 'willis_namespace_replicas', labels: ['namespace', 'standing'] },
    help: 'Replicas that are in step with the head, that are behind, and that were not heard of in time.',
    read: () =>
      look.published().flatMap(({ report: { namespace, version }, replicas }) => {
        const counts = standings(replicas ?? [], version ?? { epoch: '', seq: 0 });
        return Object.entries(counts).map(([standing, value]): Sample => ({ labels: [namespace, standing], value }));
      }),
  });
  registry.add({
    ...{ type: 'gauge', name: 'willis_namespace_replica_lag_seconds', labels: ['namespace'] },
    help: 'Of the replica that is furthest behind, of those that were heard of in time.',
    read: () =>
      look.published().flatMap(({ report: { namespace }, replicas }) => {
        const lags = (replicas ?? []).filter(({ isActive }) => isActive).map(({ lag }) => toSeconds(lag.time));
        return sample([namespace], lags.length === 0 ? null : Math.max(...lags));
      }),
  });
}

const sample = (labels: readonly string[], value: number | null): Sample[] =>
  value === null ? [] : [{ labels, value }];

function bounded(counts: Readonly<Record<string, number>>): (readonly [string, number])[] {
  const all = Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
  if (all.length <= mostReasons) return all;
  const rest = all.slice(mostReasons).reduce((sum, [, count]) => sum + count, 0);
  return [...all.slice(0, mostReasons), ['other', rest]];
}

/** What is read once for all families that are read in the same turn of the event loop. */
class Look {
  readonly #replication: View;
  #reports: readonly NamespaceReport[] | null = null;
  #published: readonly NamespaceStatus[] | null = null;

  constructor(replication: View) {
    this.#replication = replication;
  }

  reports(): readonly NamespaceReport[] {
    if (this.#reports === null) this.#forgetSoon();
    return (this.#reports ??= this.#replication.namespaces());
  }

  named(): readonly NamespaceReport[] {
    return this.reports().slice(0, mostNamespaces);
  }

  published(): readonly NamespaceStatus[] {
    return (this.#published ??= this.named()
      .filter(({ role }) => role === 'primary')
      .map(({ namespace }) => this.#replication.status(namespace)));
  }

  #forgetSoon(): void {
    queueMicrotask(() => {
      this.#reports = null;
      this.#published = null;
    });
  }
}
