import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { bytes, epochMs } from '../../../config/units.js';
import { readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { blockSizeFor } from '../../../wlis/trust/block-list.js';
import { digestOfText } from '../../../wlis/trust/digest.js';
import { fieldsBlock } from '../../../wlis/trust/fields-block.js';
import { documentText } from '../../../replication/source/published-document.js';
import { HeldFixture } from '../../replication/held-fixture.js';
import { keyNamed } from '../trust/keys-example.js';
import { altering, answering, bodyOf, interrupted, withFields } from './faults.js';
import { NodesFixture, type Fault, type Got } from './nodes-fixture.js';

const m0 = 'http://m0.example';
const m1 = 'http://m1.example';

const large = Buffer.concat(
  Array.from({ length: 12_500 }, (_, i) => createHash('sha256').update(`block ${i}`).digest()),
);
const script = Buffer.from('<script>alert(document.cookie)</script>');

/** As much of the script as takes the place of what was there. */
const scripts = (content: Buffer): Buffer => Buffer.alloc(content.length, script);

async function withLiar(fault: Fault, options: Parameters<typeof NodesFixture.create>[0] = {}): Promise<NodesFixture> {
  const nodes = await NodesFixture.create(options);
  const policy = fieldsBlock(['Cache-Control', 'max-age=60', 'Content-Security-Policy', "default-src 'self'"]);
  const page = nodes.held.blobs.add(Buffer.from('<p>Hello</p>'));
  await nodes.held.put({ 'large.bin': large });
  await nodes.held.publish([
    { path: 'page.html', document: documentText({ status: 200, fields: policy, variants: [page] }) },
  ]);
  nodes.order = (candidates) => candidates;
  const [first] = nodes.nodes;
  if (first !== undefined) first.fault = fault;
  return nodes;
}

const named = (nodes: NodesFixture): unknown[] => nodes.warnings.map(({ url, isBlamed }) => [url, isBlamed]);

function assertTrue({ status, fields, content }: Got, what: string): void {
  assert.equal(status, 200, what);
  assert.equal(fields.get('content-security-policy'), "default-src 'self'", what);
  assert.equal(fields.has('set-cookie'), false, what);
  assert.equal(content.toString(), '<p>Hello</p>', what);
}

const raw = /\/raw\//;

describe('Rule 4: nobody is believed without proof', () => {
  const lies: Readonly<Record<string, Fault>> = {
    'a false 404': altering(raw, (answer) => ({ ...answer, status: 404, body: bodyOf([Buffer.from('No')]) })),
    'a false 304': altering(raw, (answer) => ({ ...answer, status: 304, body: null })),
    'a false redirect': altering(raw, (answer) => ({
      ...answer,
      status: 302,
      fields: answer.fields.plus('Location', 'http://evil.example/'),
    })),
    'a false 416': altering(raw, (answer) => ({ ...answer, status: 416, body: bodyOf([]) })),
    'a part in the place of all': altering(raw, (answer) => ({
      ...answer,
      status: 206,
      fields: answer.fields.plus('Content-Range', 'bytes 0-4/12'),
    })),
    'a script of the right length': interrupted(0, scripts),
    'another proof': altering(
      raw,
      withFields((fields) => fields.with('WLIS-Proof', `:${btoa('{}')}:`)),
    ),
    'another head': altering(
      raw,
      withFields((fields) => fields.with('WLIS-Head', '"a.b.c";age=1')),
    ),
    'a head that is none': altering(
      raw,
      withFields((fields) => fields.with('WLIS-Head', '"a.b.c"')),
    ),
  };
  for (const [lie, fault] of Object.entries(lies)) {
    it(`${lie} is refused and its node named; the next one answers`, async () => {
      const nodes = await withLiar(fault);
      const got = await nodes.get('page.html');
      assertTrue(got, lie);
      assert.equal(got.by, m1);
      assert.deepEqual(named(nodes), [[m0, true]]);
      assert.deepEqual([nodes.health.of(m0).failure?.reason, nodes.health.of(m0).breaker], ['false', 'open']);
      const counted = [...nodes.failover.metrics.refused.entries()].map(([[, url], { value }]) => [url, value]);
      assert.deepEqual(counted, [[m0, 1]]);
    });
  }

  it('decision 3: what somebody on the way puts in the place of everything is no lie of the node', async () => {
    const page = '<html>Accept our terms to use this network</html>';
    const nodes = await withLiar(
      answering(200, page, { 'Content-Type': 'text/html', 'Content-Length': `${page.length}` }),
    );
    assertTrue(await nodes.get('page.html'), 'from the next one');
    assert.deepEqual([nodes.health.of(m0).failure?.reason, named(nodes)], ['broken', []]);
    const onlyContents: Fault = (request, answer, options) =>
      /\/(?:blob|blocks)\//.test(request.target.path)
        ? answering(200, page, { 'Content-Type': 'text/html' })(request, answer, options)
        : answer();
    const others = await withLiar(onlyContents);
    assert.equal((await others.get('large.bin', { method: 'GET', fields: { Range: 'bytes=-5' } })).status, 206);
    assert.notEqual(others.health.of(m0).failure?.reason, 'false');
    assert.deepEqual(named(others), []);
  });

  it('fields that are not in the record are dropped, those that are stand there: whatever was received', async () => {
    const change = (fields: Fields): Fields =>
      fields.without('content-security-policy').plus('Set-Cookie', 'a=b', 'X-Evil', '1', 'Clear-Site-Data', '"*"');
    const nodes = await withLiar(altering(raw, withFields(change)));
    const got = await nodes.get('page.html');
    assertTrue(got, 'rebuilt');
    assert.deepEqual([got.by, got.fields.has('x-evil'), got.fields.has('clear-site-data')], [m0, false, false]);
  });

  it('a script behind right bytes of the right length: not a byte of it leaves', async () => {
    const nodes = await withLiar(interrupted(200_000, scripts));
    const { body, answeredBy } = await nodes.forward('large.bin');
    const captured = body === null ? Buffer.alloc(0) : await readAll(body, bytes(1e9));
    assert.ok(captured.equals(large), 'every byte');
    assert.equal(captured.includes(script), false);
    assert.equal(answeredBy?.url, m0, 'the first blocks were right');
    assert.deepEqual(
      nodes.nodes[1]?.sent.map((fields) => fields.get('range')),
      ['bytes=196608-399999'],
    );
    assert.deepEqual(named(nodes), [[m0, true]]);
  });

  it('more than there is ends where the record says', async () => {
    const endless: Fault = async (_, answer) => {
      const response = await answer();
      const { body } = response;
      if (body === null) return response;
      const read = async (): Promise<Buffer> => (await body.read()) ?? Buffer.alloc(65_536);
      return { ...response, body: { length: null, trailers: Fields.none, read, cancel: () => body.cancel() } };
    };
    const nodes = await withLiar(endless);
    assert.ok((await nodes.get('large.bin')).content.equals(large), 'no more and no less');
    assertTrue(await nodes.get('page.html'), 'a short one');
  });

  it('a length that is not that of the record is refused before anything is read', async () => {
    const longer = altering(raw, (answer) => ({
      ...answer,
      body: answer.body && { ...bodyOf([Buffer.alloc(13)]), length: bytes(13) },
    }));
    const nodes = await withLiar(longer);
    assertTrue(await nodes.get('page.html'), 'from the next one');
    assert.deepEqual(named(nodes), [[m0, true]]);
  });

  it('another range than was asked for is refused', async () => {
    const other = altering(
      raw,
      withFields((fields) => fields.with('Content-Range', 'bytes 0-131071/400000')),
    );
    const nodes = await withLiar(other);
    const { content } = await nodes.get('large.bin', { fields: { Range: 'bytes=70000-80000' } });
    assert.ok(content.equals(large.subarray(70_000, 80_001)), 'what was asked for');
    assert.deepEqual(named(nodes), [[m0, true]]);
  });

  it('content that goes on elsewhere is verified there too', async () => {
    const nodes = await withLiar(interrupted(70_000, 'cut'));
    const [, second] = nodes.nodes;
    if (second !== undefined) second.fault = interrupted(0, scripts);
    assert.ok((await nodes.get('large.bin')).content.equals(large), 'every byte');
    assert.deepEqual(named(nodes), [[m1, true]]);
  });

  it('a head signed by somebody else is refused', async () => {
    const mallory = await HeldFixture.create({ key: await keyNamed('mallory'), issued: epochMs(1_700_000_000_000) });
    await mallory.put({ 'page.html': 'Pay here' });
    const nodes = await withLiar((_, answer) => answer());
    const [first] = nodes.nodes;
    if (first !== undefined) first.held = mallory;
    assertTrue(await nodes.get('page.html'), 'from the next one');
    assert.deepEqual(named(nodes), [[m0, true]]);
  });

  it('what a cache on the way may have altered is used by nobody, and its node is not blamed', async () => {
    const nodes = await withLiar(
      altering(raw, (answer) => ({ ...answer, status: 404, fields: answer.fields.without('wlis-namespace') })),
    );
    assertTrue(await nodes.get('page.html'), 'from the next one');
    assert.deepEqual(named(nodes), [[m0, false]]);
    assert.equal(nodes.health.of(m0).failure?.reason, 'broken');
  });

  it('decision 3: a proof that does not come along is asked for', async () => {
    const nodes = await withLiar(
      altering(
        raw,
        withFields((fields) => fields.without('wlis-proof', 'wlis-head')),
      ),
    );
    const got = await nodes.get('page.html');
    assertTrue(got, 'all the same');
    assert.equal(got.by, m0);
    assert.deepEqual(
      nodes.nodes[0]?.requests.map((request) => /wlis\/([a-z]+)/.exec(request)?.[1]),
      ['raw', 'proof'],
    );
  });

  it('a 404 without a proof, from one who can prove what is there, is a lie', async () => {
    const nodes = await withLiar(
      altering(raw, (answer) => ({ ...answer, status: 404, fields: answer.fields.without('wlis-proof', 'wlis-head') })),
    );
    await nodes.get('large.bin', { method: 'HEAD' });
    nodes.warnings.length = 0;
    assertTrue(await nodes.get('page.html'), 'from the next one');
    assert.deepEqual(named(nodes), [[m0, true]]);
  });

  it('a proof without an end, and one that is no text', async () => {
    for (const content of [Buffer.alloc(2_000_000, 'a'), Buffer.from([0xff, 0xfe]), Buffer.from('[]')]) {
      const without = altering(
        raw,
        withFields((fields) => fields.without('wlis-proof')),
      );
      const nodes = await withLiar((request, answer, options) =>
        raw.test(request.target.path)
          ? without(request, answer, options)
          : answering(200, content.toString('latin1'), { 'Content-Type': 'application/json' })(
              request,
              answer,
              options,
            ),
      );
      assertTrue(await nodes.get('page.html'), 'from the next one');
      assert.equal(nodes.health.of(m0).failure?.reason, 'false');
    }
  });

  it('a wrong block list is refused, and another one asked', async () => {
    const many = Buffer.alloc(9_000_000, 'many blocks');
    const nodes = await withLiar(
      altering(/\/blocks\//, (answer) => ({ ...answer, body: bodyOf([Buffer.alloc(4416)]) })),
    );
    await nodes.held.put({ 'many.bin': many });
    assert.ok((await nodes.get('many.bin')).content.equals(many), 'every byte');
    assert.deepEqual(named(nodes), [[m0, true]]);
  });

  it('a content whose blocks would fill the memory of this node is not begun', async () => {
    const nodes = await withLiar((_, answer) => answer());
    const page = nodes.held.blobs.add(Buffer.from('<p>Hello</p>'));
    const length = bytes(2 ** 44);
    const endless = { ...page, length, blockSize: blockSizeFor(length), blocks: digestOfText('its block list') };
    await nodes.held.publish([
      { path: 'endless', document: documentText({ status: 200, fields: [], variants: [endless] }) },
    ]);
    await assert.rejects(nodes.get('endless', { fields: { Range: 'bytes=-5' } }), /blocks of 4294967296 bytes/);
    assert.ok(!nodes.requests.some((request) => /\/(?:blob|blocks)\//.test(request)), 'nobody is asked for it');
  });

  it('if all lie there is no answer', async () => {
    const nodes = await withLiar(interrupted(0, scripts));
    for (const node of nodes.nodes) node.fault = interrupted(0, scripts);
    await assert.rejects(nodes.get('page.html'), /is not that of the block list/);
  });
});
