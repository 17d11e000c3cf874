import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { milliseconds } from '../../../config/units.js';
import { Cancellation } from '../../../proxy/base/cancellation.js';
import { documentText } from '../../../replication/source/published-document.js';
import { fieldsBlock } from '../../../wlis/trust/fields-block.js';
import { NOT_FOUND } from '../../../wlis/trust/record.js';
import { failsWith } from '../../forward/upstream-fixture.js';
import { until } from '../../support/waiting.js';
import { answering, atFirst, failing, interrupted, silent } from './faults.js';
import { NodesFixture, type Got } from './nodes-fixture.js';

const m0 = 'http://m0.example';
const m1 = 'http://m1.example';
const primary = 'http://docs.example.org';

/** Bytes that are nowhere the same. */
const contentOf = (length: number, seed = 'content'): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(length / 32) }, (_, i) => createHash('sha256').update(`${seed} ${i}`).digest()),
  ).subarray(0, length);

const large = contentOf(400_000);

async function withDocuments(options: Parameters<typeof NodesFixture.create>[0] = {}): Promise<NodesFixture> {
  const nodes = await NodesFixture.create(options);
  await nodes.held.put({ 'a.txt': 'Hello', 'large.bin': large, 'empty.txt': '' });
  nodes.order = (candidates) => candidates;
  return nodes;
}

const told = ({ status, content, by }: Got): unknown[] => [status, content.toString(), by];

describe('Documents from those who hold them', () => {
  it('are answered by the best node, with status, fields and bytes of the record', async () => {
    const nodes = await withDocuments();
    const got = await nodes.get('a.txt');
    assert.deepEqual(told(got), [200, 'Hello', m0]);
    assert.equal(got.fields.get('cache-control'), 'max-age=60');
    assert.equal(got.fields.get('content-length'), '5');
    assert.equal(got.fields.get('age'), '0');
    assert.equal(
      [...got.fields.names()].find((name) => name.startsWith('wlis-')),
      undefined,
    );
    assert.deepEqual(nodes.requests.length, 1, 'one round trip');
  });

  it('tell whose they are, and at which version of the namespace they were proven', async () => {
    const nodes = await withDocuments();
    const { response } = await nodes.get('a.txt');
    const { epoch, seq } = nodes.held.edition?.head.head ?? {};
    const { url, role, version } = response.answeredBy ?? {};
    assert.deepEqual([url, role, version], [m0, 'replica', { epoch, seq }]);
    assert.ok(seq !== undefined && seq > 0, 'there is a head');
  });

  it('come whole when they have many blocks, and when they have none', async () => {
    const nodes = await withDocuments();
    assert.ok((await nodes.get('large.bin')).content.equals(large), 'every byte');
    assert.deepEqual(told(await nodes.get('empty.txt')), [200, '', m0]);
  });

  it('RFC 9110 §9.3.2: HEAD takes no content', async () => {
    const nodes = await withDocuments();
    const { status, fields, response } = await nodes.get('large.bin', { method: 'HEAD' });
    assert.deepEqual([status, fields.get('content-length'), response.body], [200, '400000', null]);
    assert.match(nodes.requests.join(), /^http:\/\/m0\.example HEAD [^,]*$/);
  });

  it('RFC 9110 §13.1: conditions are judged by the record', async () => {
    const nodes = await withDocuments();
    const etag = (await nodes.get('a.txt')).fields.get('etag') ?? '';
    assert.deepEqual(told(await nodes.get('a.txt', { fields: { 'If-None-Match': etag } })), [304, '', m0]);
    assert.deepEqual(told(await nodes.get('a.txt', { fields: { 'If-None-Match': '"other"' } })), [200, 'Hello', m0]);
    assert.equal((await nodes.get('a.txt', { fields: { 'If-Match': '"other"' } })).status, 412);
    const since = { 'If-Modified-Since': 'Tue, 14 Nov 2023 22:13:20 GMT' };
    assert.equal((await nodes.get('a.txt', { fields: since })).status, 304);
  });

  it('RFC 9110 §14: ranges are asked for in whole blocks, and cut when these are verified', async () => {
    const nodes = await withDocuments();
    for (const [range, from, to] of [
      ['bytes=70000-140000', 70_000, 140_001],
      ['bytes=0-0', 0, 1],
      ['bytes=65536-131071', 65_536, 131_072],
      ['bytes=399999-', 399_999, 400_000],
      ['bytes=-100', 399_900, 400_000],
      ['bytes=300000-900000', 300_000, 400_000],
    ] as const) {
      for (const time of ['the first time', 'again']) {
        const { status, fields, content } = await nodes.get('large.bin', { fields: { Range: range } });
        const expected = [206, `bytes ${from}-${to - 1}/400000`, true];
        const got = [status, fields.get('content-range'), content.equals(large.subarray(from, to))];
        assert.deepEqual(got, expected, `${range} ${time}`);
      }
    }
    const asked = nodes.nodes[0]?.sent.map((fields) => fields.get('range')).filter((value) => value !== undefined);
    assert.equal(asked?.[0], 'bytes=65536-196607', 'of a document of which nothing is known yet');
  });

  it('RFC 9110 §14.2: several ranges, those with If-Range, and those that are nowhere', async () => {
    const nodes = await withDocuments();
    const several = await nodes.get('large.bin', { fields: { Range: 'bytes=0-9,200000-200009' } });
    assert.equal(several.status, 206);
    assert.ok(several.content.includes(large.subarray(200_000, 200_010)), 'both are there');
    const etag = several.fields.get('etag') ?? '';
    for (const [validator, status, length] of [
      [etag, 206, 10],
      ['"other"', 200, 400_000],
    ] as const) {
      const fields = { Range: 'bytes=100000-100009', 'If-Range': validator };
      const got = await nodes.get('large.bin', { fields });
      assert.deepEqual([got.status, got.content.length], [status, length]);
    }
    const beyond = await nodes.get('large.bin', { fields: { Range: 'bytes=400000-' } });
    assert.deepEqual([beyond.status, beyond.fields.get('content-range')], [416, 'bytes */400000']);
  });

  it('RFC 9110 §12.1: variants are chosen by the record', async () => {
    const nodes = await withDocuments();
    const plain = 'x'.repeat(1000);
    await nodes.held.put({ 'v.txt': [{ content: plain }, { content: gzipSync(plain), coding: 'gzip', etag: '"gz"' }] });
    const gzipped = await nodes.get('v.txt', { fields: { 'Accept-Encoding': 'gzip' } });
    assert.deepEqual([gzipped.fields.get('content-encoding'), gzipped.content.equals(gzipSync(plain))], ['gzip', true]);
    assert.match(gzipped.fields.get('vary') ?? '', /accept-encoding/);
    assert.equal((await nodes.get('v.txt')).content.toString(), plain);
  });

  it('redirects and pages for what is not there come from records too', async () => {
    const nodes = await withDocuments();
    const { held } = nodes;
    assert.deepEqual(told(await nodes.get('b.txt')), [404, 'There is nothing here.\n', m0]);
    const page = { status: 404, fields: [], variants: [held.blobs.add(Buffer.from('No such page'))] } as const;
    const away = { status: 301, fields: fieldsBlock(['Location', '/a.txt']), variants: [] } as const;
    await held.publish([
      { path: NOT_FOUND, document: documentText(page) },
      { path: 'old', document: documentText(away) },
    ]);
    assert.deepEqual(told(await nodes.get('b.txt')), [404, 'No such page', m0]);
    const { status, fields } = await nodes.get('old');
    assert.deepEqual([status, fields.get('location')], [301, '/a.txt']);
  });

  it('decision 17: a query that no document has is dropped, where the namespace says so', async () => {
    const nodes = await withDocuments();
    assert.deepEqual(told(await nodes.get('a.txt?v=1')), [200, 'Hello', m0]);
    const exact = await withDocuments({ policy: { query: 'exact' } });
    assert.equal((await exact.get('a.txt?v=1')).status, 404);
  });
});

describe('Rule 11: who fails is passed over', () => {
  for (const [name, fault, because] of [
    ['cannot be reached', failing('connect-refused'), 'connect-refused'],
    ['breaks off before it answers', failing('upstream-reset'), 'upstream-reset'],
    ['says nothing', silent, 'silent'],
    ['answers with an error', answering(503, 'down'), 'answered 503'],
    [
      'does not know the namespace',
      answering(404, '{}', { 'Content-Type': 'application/problem+json' }),
      'answered 404',
    ],
  ] as const) {
    it(`one that ${name}`, async () => {
      const nodes = await withDocuments();
      const [first] = nodes.nodes;
      if (first !== undefined) first.fault = fault;
      const got = await nodes.get('a.txt');
      assert.deepEqual(told(got), [200, 'Hello', m1]);
      assert.deepEqual(got.response.answeredBy?.skipped, [{ url: m0, because }]);
      assert.equal(nodes.health.of(m0).failure === null, false, 'its health knows');
    });
  }

  it('at most so many, and then the primary', async () => {
    const nodes = await withDocuments({ replicas: 5, settings: { attempts: 2 } });
    for (const node of nodes.nodes.slice(0, 5)) node.fault = failing('connect-refused');
    assert.deepEqual(told(await nodes.get('a.txt')), [200, 'Hello', primary]);
    assert.deepEqual(
      nodes.nodes.map(({ requests }) => requests.length),
      [1, 1, 0, 0, 0, 1],
    );
  });

  it('if nobody is left the request fails, and says whom it tried', async () => {
    const nodes = await withDocuments();
    for (const node of nodes.nodes) node.fault = failing('connect-refused');
    await assert.rejects(nodes.get('a.txt'), (error: unknown) => {
      assert.match(String(error), /m0\.example: connect-refused.*m1\.example: connect-refused.*docs/);
      return failsWith('content-unreachable')(error);
    });
    assert.equal(nodes.direct.length, 0, 'what nothing proves is not asked for');
  });

  for (const [name, what] of [
    ['breaks', 'cut'],
    ['stalls', 'stall'],
    ['ends too early', 'end'],
  ] as const) {
    for (const after of [0, 10, 65_536, 200_000]) {
      it(`content that ${name} after ${after} bytes goes on elsewhere, at the first block that is not verified`, async () => {
        const nodes = await withDocuments();
        const [first, second] = nodes.nodes;
        if (first !== undefined) first.fault = interrupted(after, what);
        const { content, by } = await nodes.get('large.bin');
        assert.ok(content.equals(large), 'every byte');
        const verified = Math.floor(after / 65_536) * 65_536;
        assert.equal(by, after < 65_536 ? m1 : m0, 'whose bytes came first');
        const ranges = second?.sent.map((fields) => fields.get('range'));
        assert.deepEqual(ranges, [after < 65_536 ? undefined : `bytes=${verified}-399999`]);
        assert.equal(nodes.failover.metrics.continued.value, after < 65_536 ? 0 : 1);
      });
    }
  }

  it('ranges go on as well', async () => {
    const nodes = await withDocuments();
    const [first] = nodes.nodes;
    if (first !== undefined) first.fault = interrupted(70_000, 'cut');
    const { content } = await nodes.get('large.bin', { fields: { Range: 'bytes=100000-350000' } });
    assert.ok(content.equals(large.subarray(100_000, 350_001)), 'every byte');
  });

  it('a long transfer goes on among those who break off, as long as each brings something', async () => {
    const nodes = await withDocuments({ settings: { attempts: 1 } });
    for (const node of nodes.nodes) node.fault = interrupted(70_000, 'cut');
    assert.ok((await nodes.get('large.bin')).content.equals(large), 'every byte');
  });

  it('where nobody goes on the content breaks visibly', async () => {
    const nodes = await withDocuments();
    for (const node of nodes.nodes) node.fault = atFirst(1, interrupted(200_000, 'cut'));
    const { body } = await nodes.forward('large.bin');
    for (const node of nodes.nodes) node.fault = failing('connect-refused');
    let received = 0;
    const read = async (): Promise<void> => {
      for (let chunk = await body?.read(); chunk != null; chunk = await body?.read()) received += chunk.length;
    };
    await assert.rejects(read(), failsWith('content-unreachable'));
    assert.equal(received, 196_608);
    assert.equal(nodes.failover.metrics.broken.value, 1);
  });

  it('one that is later than others answer is left to them', async () => {
    const nodes = await withDocuments({ settings: { patience: milliseconds(60_000) } });
    const [first] = nodes.nodes;
    if (first !== undefined) first.fault = silent;
    assert.deepEqual(told(await nodes.get('a.txt')), [200, 'Hello', m1]);
    assert.equal(nodes.health.of(m0).failure?.reason, 'silent');
  });

  it('one who is the only one left is asked for everything, also for what it did not begin with', async () => {
    const nodes = await withDocuments();
    for (const node of nodes.nodes.slice(1)) node.fault = failing('connect-refused');
    const { content } = await nodes.get('large.bin', { fields: { Range: 'bytes=-100' } });
    assert.ok(content.equals(large.subarray(399_900)), 'what was asked for');
  });

  it('cancelled before the answer: everybody is left at once', async () => {
    const nodes = await withDocuments();
    const [first] = nodes.nodes;
    if (first !== undefined) first.fault = silent;
    const cancellation = new Cancellation();
    const asked = nodes.forward('a.txt', { cancellation });
    await until(() => nodes.requests.length === 1);
    cancellation.cancel(new Error('gone'));
    await assert.rejects(asked, failsWith('client-gone'));
    assert.deepEqual([nodes.health.of(m0).underWay, nodes.requests.length], [0, 1]);
    assert.equal(nodes.health.of(m0).failure, null, 'it says nothing of the node');
  });

  it('cancelled in the middle of the content: so too', async () => {
    const nodes = await withDocuments();
    const [first] = nodes.nodes;
    if (first !== undefined) first.fault = interrupted(100_000, 'stall');
    const { body } = await nodes.forward('large.bin');
    assert.equal((await body?.read())?.length, 65_536);
    const waiting = body?.read();
    body?.cancel();
    assert.equal(await waiting, null);
    assert.deepEqual([nodes.health.of(m0).underWay, nodes.health.of(m0).failure], [0, null]);
  });
});
