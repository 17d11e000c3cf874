import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UpkeepLine } from '../../proxy/admin/operator-store.js';
import type { StoreReport } from '../../proxy/admin/store-control.js';
import { parseMetrics } from '../support/metrics-parser.js';
import { answer } from '../support/origin-scripts.js';
import { RawClient } from '../support/raw-client.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';
import { OperatedWillis } from './operator-fixture.js';

const fresh = { 'Cache-Control': 'max-age=600' };

describe('the operator side and what is stored on disk', () => {
  let directory: TempDir;
  let node: OperatedWillis;

  beforeEach(async () => {
    directory = await TempDir.create();
    node = await OperatedWillis.start({ node: { data: directory.path }, cache: { disk: '64MiB' } });
    node.willis.serve((request, response, index) =>
      answer(200, fresh, Buffer.alloc(1_000_000, request.url))(request, response, index),
    );
  });
  afterEach(async () => {
    await node.stop();
    await directory.remove();
  });

  const report = async (): Promise<StoreReport> =>
    JSON.parse((await node.ask('GET', '/api/store')).body.toString()) as StoreReport;

  /** Has these stored, each with a megabyte of its own. */
  async function store(...paths: readonly string[]): Promise<void> {
    for (const path of paths) await node.willis.get(path);
    await until(async () => (await report()).disk?.responses === paths.length);
  }

  const bodyFiles = (): string[] =>
    readdirSync(join(directory.path, 'store/bodies'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));

  /** Asks for work on the store, and stays to watch it. */
  async function watch(work: string, content: unknown): Promise<RawClient> {
    const client = await RawClient.connect(node.port);
    const body = JSON.stringify(content);
    client.request(
      'POST',
      `/api/store/${work}`,
      { Host: 'localhost', 'Content-Type': 'application/json', 'Content-Length': String(body.length) },
      body,
    );
    return client;
  }

  it('tells how it fares, by the same numbers as the metrics, as they are on disk', async () => {
    await store('/a', '/b', '/c');
    const { memory, disk } = await report();
    assert.ok(disk !== null && memory !== null, 'there are both');
    assert.deepEqual(
      [disk.directory, disk.isWell, disk.responses, disk.lost],
      [join(directory.path, 'store'), true, 3, 0],
    );
    const onDisk = bodyFiles().reduce((sum, path) => sum + statSync(path).blocks * 512, 0);
    assert.equal(disk.parts.bodies, onDisk);

    const families = parseMetrics((await node.ask('GET', '/metrics')).body.toString());
    const metric = (name: string, labels: Readonly<Record<string, string>>): unknown =>
      families
        .find((family) => family.name === name)
        ?.samples.find((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
        ?.value;
    for (const [part, value] of Object.entries(disk.parts)) {
      assert.equal(metric('willis_store_part_bytes', { store: 'disk', part }), value, part);
    }
    const same = {
      willis_store_limit_bytes: disk.limit,
      willis_store_responses: disk.responses,
      willis_store_evictions_total: disk.evicted,
      willis_store_lost_total: disk.lost,
      willis_store_deleted_files: disk.deletedFiles,
      willis_store_partial_responses: disk.partial,
      willis_store_well: 1,
    };
    for (const [name, value] of Object.entries(same)) assert.equal(metric(name, { store: 'disk' }), value, name);
    assert.equal(metric('willis_store_responses', { store: 'memory' }), memory.responses);
  });

  it('verifies, tells of it in lines of JSON, and what was damaged is fetched anew', async () => {
    await store('/a', '/b');
    const [path = ''] = bodyFiles();
    const content = readFileSync(path);
    content[500_000]! ^= 1;
    writeFileSync(path, content);
    const response = await node.post('/api/store/verify', {});
    assert.equal(response.get('content-type'), 'application/x-ndjson');
    const lines = linesOf(response.body);
    assert.equal(lines[0]?.type, 'begun');
    const last = lines.at(-1);
    assert.ok(last?.type === 'done', 'it was through');
    assert.deepEqual([last.result.responses, last.result.damaged, last.result.isWhole], [2, 1, true]);
    const [lost] = last.result.lost;
    assert.match(lost?.uri ?? '', /^http:\/\/site\.test\/[ab]$/);
    assert.equal((await report()).disk?.lost, 1);
    const before = node.willis.origin.requests.length;
    const damaged = new URL(lost?.uri ?? '').pathname;
    const again = await node.willis.get(damaged);
    assert.deepEqual(
      [again.body.equals(Buffer.alloc(1_000_000, damaged)), node.willis.origin.requests.length],
      [true, before + 1],
    );
  });

  it('compacts, and says what that gave back', async () => {
    await store('/a');
    assert.equal(await node.purge({ uri: 'http://site.test/a', hard: true }), 1);
    const last = linesOf((await node.post('/api/store/compact', {})).body).at(-1);
    assert.ok(last?.type === 'done', 'it was through');
    assert.equal((last.result as unknown as { files: number }).files, 1);
    assert.deepEqual(bodyFiles(), []);
  });

  it('makes the index anew', async () => {
    await store('/a', '/b');
    const last = linesOf((await node.post('/api/store/rebuild', {})).body).at(-1);
    assert.deepEqual(last, { type: 'done', result: { before: 2, kept: 2, adopted: 0 } });
    const { disk } = await report();
    assert.deepEqual([disk?.responses, disk?.isWell, disk?.work], [2, true, null]);
  });

  it('does one such work at a time: 409 with what is under way; and ends it when who has asked for it goes away', async () => {
    await store('/a');
    const client = await watch('verify', { rate: '64KiB' });
    await until(async () => (await report()).disk?.work === 'verify');
    for (const work of ['verify', 'rebuild', 'compact']) {
      const refused = await node.post(`/api/store/${work}`, {});
      const problem = JSON.parse(refused.body.toString()) as { code: string; detail: string };
      assert.deepEqual([refused.status, problem.code], [409, 'store-busy']);
      assert.match(problem.detail, /everything in the store is being checked/);
    }
    client.close();
    await until(async () => (await report()).disk?.work === null);
    assert.equal((await node.post('/api/store/verify', {})).status, 200);
  });

  it('lets no such work keep the node from stopping', async () => {
    await store('/a');
    const client = await watch('verify', { rate: '64KiB' });
    await until(async () => (await report()).disk?.work === 'verify');
    const received = client.receive('POST').finally(() => client.close());
    await node.willis.node.stop();
    const last = linesOf((await received).body).at(-1);
    assert.ok(last?.type === 'done', 'it is told of its end');
    assert.deepEqual([last.result.isWhole, last.result.damaged], [false, 0]);
  });

  it('refuses a rate that is none', async () => {
    for (const rate of ['', 'fast', '1KiB', '-1']) {
      const refused = await node.post('/api/store/verify', { rate });
      assert.deepEqual([rate, refused.status], [rate, 400]);
      assert.match(refused.body.toString(), /rate: expected a size such as 50MiB/);
    }
    assert.equal((await node.post('/api/store/verify', { rate: '1GiB/s' })).status, 200);
    assert.match((await node.post('/api/store/compact', { rate: '1GiB' })).body.toString(), /there is no member/);
  });

  it('says so where nothing is stored on disk', async () => {
    await node.willis.reload({ cache: { disk: null } });
    const { memory, disk } = await report();
    assert.deepEqual([disk, memory !== null], [null, true]);
    for (const work of ['verify', 'rebuild', 'compact']) {
      const refused = await node.post(`/api/store/${work}`, {});
      assert.equal(refused.status, 404);
      assert.match(refused.body.toString(), /cache\.disk is null/);
    }
  });
});

const linesOf = (body: Buffer): UpkeepLine<'verify'>[] =>
  body
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as UpkeepLine<'verify'>);
