import assert from 'node:assert/strict';
import { bytes, milliseconds } from '../../config/units.js';
import { metricsText } from '../../proxy/base/metrics-text.js';
import { Registry } from '../../proxy/base/metrics.js';
import { describeReplication } from '../../proxy/roles/replication-metrics.js';
import type { NamespaceReport } from '../../replication/namespace-report.js';
import { epoch, FakeReplication, replicaOf, root, statusOf } from '../admin/fake-replication.js';
import { parseMetrics } from '../support/metrics-parser.js';

const mine = 'http://a.example/';
const theirs = 'http://b.example/';

describe('the metrics of replication', () => {
  let replication: FakeReplication;
  let registry: Registry;

  beforeEach(() => {
    replication = new FakeReplication();
    registry = new Registry();
    describeReplication(registry, replication);
  });

  /** The samples of a family, by their labels. */
  const samples = (name: string): Record<string, number> => {
    const family = parseMetrics(metricsText(registry.snapshot())).find((one) => one.name === `willis_${name}`);
    const entries = (family?.samples ?? []).map(
      ({ labels, value }) => [Object.values(labels).join(' '), value] as const,
    );
    return Object.fromEntries(entries) as Record<string, number>;
  };

  const behind: Partial<NamespaceReport> = {
    ...{ role: 'replica', state: 'behind', parent: 'https://p.example', children: ['https://c.example'] },
    version: { epoch, seq: 800, root },
    known: { epoch, seq: 812 },
    ...{ documents: 90, bytes: bytes(1000), totalBytes: bytes(4000) },
    lag: { changes: 12, time: milliseconds(3500) },
    confirmedAge: milliseconds(9000),
    counters: {
      ...{ changes: 31, bytesPulled: bytes(700), bytesSpared: bytes(300) },
      refused: { 'wrong-digest': 3, malformed: 1 },
      ...{ notificationsReceived: 5, notificationsSent: 6, notificationsFailed: 7 },
    },
  };

  it('are the figures of the reports, each by its namespace', () => {
    replication.held = [statusOf(mine), statusOf(theirs, behind)];
    const own = statusOf(mine).report;
    const expected: Readonly<Record<string, Record<string, number>>> = {
      namespaces: { '': 2 },
      namespace_state: { [`${mine} primary in-step`]: 1, [`${theirs} replica behind`]: 1 },
      namespace_seq: { [mine]: 812, [theirs]: 800 },
      namespace_known_seq: { [mine]: 812, [theirs]: 812 },
      namespace_lag_changes: { [mine]: 0, [theirs]: 12 },
      namespace_lag_seconds: { [mine]: 0, [theirs]: 3.5 },
      namespace_confirmed_age_seconds: { [mine]: 2, [theirs]: 9 },
      namespace_documents: { [mine]: 1204, [theirs]: 90 },
      namespace_bytes: { [mine]: own.bytes, [theirs]: 1000 },
      namespace_wanted_bytes: { [mine]: own.totalBytes, [theirs]: 4000 },
      namespace_children: { [mine]: 0, [theirs]: 1 },
      namespace_changes_total: { [mine]: 812, [theirs]: 31 },
      namespace_pulled_bytes_total: { [mine]: 0, [theirs]: 700 },
      namespace_spared_bytes_total: { [mine]: 0, [theirs]: 300 },
      namespace_refused_total: { [`${theirs} malformed`]: 1, [`${theirs} wrong-digest`]: 3 },
      namespace_notifications_total: {
        ...{ [`${mine} received`]: 0, [`${mine} sent`]: 24, [`${mine} failed`]: 1 },
        ...{ [`${theirs} received`]: 5, [`${theirs} sent`]: 6, [`${theirs} failed`]: 7 },
      },
    };
    for (const [name, of] of Object.entries(expected)) assert.deepEqual({ [name]: samples(name) }, { [name]: of });
  });

  it('leave out what is not known: of a replica that holds nothing yet', () => {
    replication.held = [statusOf(theirs, { ...behind, state: 'joining', version: null, known: null })];
    for (const name of ['seq', 'known_seq', 'confirmed_age_seconds']) {
      assert.deepEqual(samples(`namespace_${name}`), {}, name);
    }
    assert.deepEqual(samples('namespace_state'), { [`${theirs} replica joining`]: 1 });
  });

  it('count the replicas of a primary by how they stand, and tell the lag of the last of those heard of', () => {
    const lag = (time: number) => ({ lag: { changes: 1, time: milliseconds(time) }, held: { epoch, seq: 811 } });
    const replicas = [
      replicaOf('m1'),
      replicaOf('m2', lag(1500)),
      replicaOf('m3', lag(4000)),
      replicaOf('m4', { ...lag(90_000), isActive: false }),
    ];
    replication.held = [statusOf(mine, {}, { replicas }), statusOf(theirs, behind)];
    assert.deepEqual(samples('namespace_replicas'), {
      ...{ [`${mine} in-step`]: 1, [`${mine} behind`]: 2, [`${mine} silent`]: 1 },
    });
    assert.deepEqual(samples('namespace_replica_lag_seconds'), { [mine]: 4 });
  });

  it('are what is so at each look, and those of a namespace that is gone go with it', () => {
    replication.held = [statusOf(mine)];
    assert.deepEqual(samples('namespace_seq'), { [mine]: 812 });
    replication.held = [statusOf(theirs, { version: { epoch, seq: 5, root } })];
    return Promise.resolve().then(() => assert.deepEqual(samples('namespace_seq'), { [theirs]: 5 }));
  });

  it('are bounded: 500 namespaces, and 31 reasons for a refusal', () => {
    const refused = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`reason-${100 + i}`, 2]));
    const { counters } = statusOf(mine).report;
    replication.held = Array.from({ length: 600 }, (_, i) =>
      statusOf(`http://${1000 + i}.example/`, { counters: { ...counters, refused } }),
    );
    assert.deepEqual(samples('namespaces'), { '': 600 });
    assert.equal(Object.keys(samples('namespace_seq')).length, 500);
    const reasons = samples('namespace_refused_total');
    assert.deepEqual(
      [Object.keys(reasons).length, reasons['http://1000.example/ other'], reasons['http://1000.example/ reason-100']],
      [500 * 31, 20, 2],
    );
  });
});
