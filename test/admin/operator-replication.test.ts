import assert from 'node:assert/strict';
import { milliseconds } from '../../config/units.js';
import type { NamespaceView } from '../../proxy/admin/namespace-view.js';
import type { LagLine } from '../../proxy/admin/operator-replication.js';
import { RawClient } from '../support/raw-client.js';
import { until } from '../support/waiting.js';
import { epoch, FakeReplication, replicaOf, statusOf } from './fake-replication.js';
import { OperatedWillis } from './operator-fixture.js';

const mine = 'http://a.example/';
const theirs = 'http://b.example/';
const late = { held: { epoch, seq: 810 }, lag: { changes: 2, time: milliseconds(3000) } };

describe('the operator side and replication', () => {
  let replication: FakeReplication;
  let node: OperatedWillis;

  beforeEach(async () => {
    replication = new FakeReplication();
    replication.held = [
      statusOf(mine, {}, { replicas: [replicaOf('m1'), replicaOf('m2', late)] }),
      statusOf(theirs, { role: 'replica', parent: 'https://m1.example' }),
    ];
    node = await OperatedWillis.start({ log: { level: 'info' } }, { replication });
  });
  afterEach(() => node.stop());

  const status = (query: string) => node.ask('GET', `/api/namespaces/status${query}`);

  /** The last line that tells of a work. */
  async function ended(path: string, content: unknown): Promise<unknown> {
    const response = await node.post(path, content);
    assert.deepEqual([response.status, response.get('content-type')], [200, 'application/x-ndjson']);
    return linesOf(response.body).at(-1);
  }

  async function refused(path: string, content: unknown): Promise<[status: number, code: string, detail: string]> {
    const response = await node.post(path, content);
    const { code, detail } = JSON.parse(response.body.toString()) as { code: string; detail: string };
    return [response.status, code, detail];
  }

  it('tells how all namespaces fare, as they are reported', async () => {
    const response = await node.ask('GET', '/api/namespaces');
    assert.equal(response.status, 200);
    assert.deepEqual(JSON.parse(response.body.toString()), JSON.parse(JSON.stringify(replication.namespaces())));
    assert.equal((await node.ask('POST', '/api/namespaces')).status, 405);
  });

  it('tells all of one: its report, its replicas, and what is the matter with its source', async () => {
    const many = Array.from({ length: 300 }, (_, i) => `file-${i}`);
    const source = {
      problem: { code: 'source-held', message: '120 of 200 documents are gone' } as const,
      ...{
        heldRemovals: 120,
        refused: [['a\n', 'loop']] as const,
        unsettled: many,
        unreadable: [],
        watchedDirectories: 3,
      },
    };
    replication.held = [statusOf(mine, { state: 'held' }, { source, replicas: [replicaOf('m1')] })];
    const response = await status(`?namespace=${encodeURIComponent(mine)}`);
    const view = JSON.parse(response.body.toString()) as NamespaceView;
    assert.ok(view.source !== null, 'it has a source');
    assert.deepEqual(
      [view.report.state, view.replicas?.length, view.primary, view.source.heldRemovals],
      ['held', 1, null, 120],
    );
    assert.deepEqual(view.source.refused, { count: 1, first: [['a\n', 'loop']] });
    assert.deepEqual([view.source.unsettled.count, view.source.unsettled.first.length], [300, 100]);
  });

  it('takes a namespace in any spelling of its URL, and refuses what is none', async () => {
    assert.equal((await status(`?namespace=${encodeURIComponent('HTTP://A.example:80/./')}`)).status, 200);
    for (const [query, code] of [
      ['', 400],
      ['?namespace=http://a.example/x', 400],
      ['?namespace=http://a.example/&more=1', 400],
      [`?namespace=${mine}&namespace=${mine}`, 400],
      ['?namespace=http://unknown.example/', 404],
    ] as const) {
      const response = await status(query);
      assert.deepEqual([query, response.status], [query, code]);
      assert.equal(response.get('content-type')?.startsWith('application/problem+json'), true);
    }
  });

  it('looks at the source of a namespace, or of all that are published here', async () => {
    replication.scanned = { published: 2, removed: 1 };
    const last = (await ended('/api/changed', { namespace: mine })) as { result: { published: number }[] };
    assert.deepEqual([last.result.length, last.result[0]?.published], [1, 2]);
    await ended('/api/changed', {});
    await ended('/api/changed', { namespace: mine, allowRemovals: true });
    assert.deepEqual(replication.done, [`scan ${mine}`, `scan ${mine}`, `allowRemovals ${mine}`]);
    const events = node.willis.events.map(({ code, namespace, published }) => [code, namespace, published]);
    assert.deepEqual(events.slice(-1), [['removals-allowed', mine, 2]]);
  });

  it('refuses to look at the source of what is only replicated here, and says whose it is', async () => {
    for (const path of ['/api/changed', '/api/lag']) {
      const [code, name, detail] = await refused(path, { namespace: theirs });
      assert.deepEqual([code, name], [409, 'not-primary']);
      assert.match(detail, /ask its primary, https:\/\/primary\.example/);
    }
    assert.deepEqual((await refused('/api/changed', { allowRemovals: true })).slice(0, 2), [400, 'bad-request']);
    assert.deepEqual((await refused('/api/changed', { namespace: mine, all: true })).slice(0, 2), [400, 'bad-request']);
    assert.deepEqual((await refused('/api/changed', { namespace: 5 })).slice(0, 2), [400, 'bad-request']);
    replication.held = [];
    assert.deepEqual((await refused('/api/lag', {})).slice(0, 2), [404, 'not-found']);
    assert.deepEqual(replication.done, []);
  });

  it('waits until all replicas hold what a namespace is now, and tells how far they are', async () => {
    const client = await watch('/api/lag', { namespace: mine });
    const response = client.receive('POST');
    await until(() => replication.waiting === 1);
    replication.change([statusOf(mine, {}, { replicas: [replicaOf('m1'), replicaOf('m2')] })]);
    const lines = linesOf((await response).body) as LagLine[];
    client.close();
    assert.deepEqual(lines[0], { type: 'begun' });
    assert.deepEqual(lines.at(-1), { type: 'done', result: [{ namespace: mine, version: { epoch, seq: 812 } }] });
  });

  it('tells those who wait which replicas are behind', async () => {
    const ending = new AbortController();
    const response = await fetch(`http://127.0.0.1:${node.port}/api/lag`, { method: 'POST', signal: ending.signal });
    let told: unknown;
    for await (const chunk of response.body!) {
      const lines = linesOf(Buffer.from(chunk as Uint8Array)) as LagLine[];
      told = lines.find(({ type }) => type === 'progress');
      if (told !== undefined) break;
    }
    ending.abort();
    assert.deepEqual(told, {
      type: 'progress',
      progress: [
        {
          ...{ namespace: mine, version: { epoch, seq: 812 }, replicas: { 'in-step': 1, behind: 1, silent: 0 } },
          behind: { count: 1, first: ['https://m2.example'] },
        },
      ],
    });
    await until(() => replication.waiting === 0);
  });

  it('ends the waiting when who has asked for it goes away', async () => {
    const client = await watch('/api/lag', {});
    await until(() => replication.waiting === 1);
    client.close();
    await until(() => replication.waiting === 0);
  });

  it('ends the waiting for all when one namespace is taken away', async () => {
    const other = 'http://c.example/';
    replication.held.push(statusOf(other, {}, { replicas: [replicaOf('m3', late)] }));
    const client = await watch('/api/lag', {});
    const response = client.receive('POST');
    await until(() => replication.waiting === 2);
    replication.held.pop();
    const last = linesOf((await response).body).at(-1) as { type: string; detail: string };
    client.close();
    assert.equal(last.type, 'failed');
    assert.match(last.detail, /c\.example\/ is not held here/);
    await until(() => replication.waiting === 0);
  });

  it('follows 64 such works at a time, and no more', async () => {
    const clients = await Promise.all(Array.from({ length: 64 }, () => watch('/api/lag', {})));
    await until(() => replication.waiting === 64);
    assert.deepEqual((await refused('/api/changed', {})).slice(0, 2), [503, 'too-busy']);
    for (const client of clients) client.close();
    await until(() => replication.waiting === 0);
    assert.equal(((await ended('/api/changed', {})) as { type: string }).type, 'done');
  });

  it('makes a replica the primary, or says why it cannot be', async () => {
    assert.deepEqual(await ended('/api/promote', { namespace: theirs }), {
      ...{ type: 'failed', detail: 'its key is not here' },
    });
    const promotion = {
      namespace: replication.held[1]!.report.namespace,
      version: { epoch, seq: 5 },
      documents: 3,
      configuration: '',
      left: [],
    };
    replication.promotion = promotion;
    assert.deepEqual(await ended('/api/promote', { namespace: theirs }), { type: 'done', result: promotion });
    assert.deepEqual(replication.done, [`promote ${theirs}`, `promote ${theirs}`]);
    const event = node.willis.events.find(({ code }) => code === 'promoted');
    assert.deepEqual([event?.['namespace'], event?.['epoch'], event?.['seq']], [theirs, epoch, 5]);
    assert.deepEqual((await refused('/api/promote', { namespace: mine })).slice(0, 2), [409, 'promotion-refused']);
    assert.deepEqual((await refused('/api/promote', {})).slice(0, 2), [400, 'bad-request']);
  });

  it('is for the operator only', async () => {
    for (const [method, path] of [
      ['GET', '/api/namespaces'],
      ['GET', `/api/namespaces/status?namespace=${mine}`],
      ['POST', '/api/changed'],
      ['POST', '/api/lag'],
      ['POST', '/api/promote'],
    ] as const) {
      const response = await node.ask(method, path, { Via: '1.1 proxy' });
      assert.deepEqual([path, response.status], [path, 403]);
    }
    assert.deepEqual(replication.done, []);
  });

  it('says so where nothing is replicated', async () => {
    const other = await OperatedWillis.start();
    try {
      assert.equal((await other.ask('GET', '/api/namespaces')).body.toString(), '[]\n');
      const response = await other.ask('GET', `/api/namespaces/status?namespace=${mine}`);
      assert.equal(response.status, 404);
      assert.match(response.body.toString(), /this node replicates nothing/);
    } finally {
      await other.stop();
    }
  });

  /** Asks for work, and stays to watch it. */
  async function watch(path: string, content: unknown): Promise<RawClient> {
    const client = await RawClient.connect(node.port);
    const body = JSON.stringify(content);
    const fields = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) };
    client.request('POST', path, { Host: 'localhost', ...fields }, body);
    return client;
  }
});

const linesOf = (body: Buffer): unknown[] =>
  body
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
