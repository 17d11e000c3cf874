import assert from 'node:assert/strict';
import { WillisError } from '../../../proxy/base/errors.js';
import type { IncomingResponse } from '../../../proxy/forward/upstream.js';
import { BufferedBody } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import { failsWith } from '../../forward/upstream-fixture.js';
import { answering, failing } from './faults.js';
import { NodesFixture, type NodesOptions } from './nodes-fixture.js';

const [m0, m1, primary] = ['http://m0.example', 'http://m1.example', 'http://docs.example.org'] as const;

const fromOrigin = (): IncomingResponse => ({
  ...{ status: 200, reason: 'OK', version: '1.1', fields: Fields.none },
  body: BufferedBody.from('from the origin'),
});

async function withDocument(options: NodesOptions = {}): Promise<NodesFixture> {
  const nodes = await NodesFixture.create(options);
  await nodes.held.put({ 'a.txt': 'Hello' });
  nodes.origin = fromOrigin;
  nodes.order = (all, { from }) =>
    from === undefined ? all : all.filter(({ url, role }) => (from === 'primary' ? role === from : url === from));
  return nodes;
}

/** Who was asked for anything. */
const asked = ({ nodes }: NodesFixture): string[] =>
  nodes.filter(({ requests }) => requests.length > 0).map(({ url }) => url);

async function failure(answer: Promise<unknown>): Promise<WillisError> {
  try {
    await answer;
  } catch (error) {
    assert.ok(error instanceof WillisError, String(error));
    return error;
  }
  assert.fail('there was an answer');
}

describe('a node that the reader has chosen', () => {
  it('is the only one that is asked', async () => {
    const nodes = await withDocument();
    const got = await nodes.get('a.txt', { from: m1 });
    assert.deepEqual([got.content.toString(), got.by], ['Hello', m1]);
    assert.deepEqual([asked(nodes), nodes.direct], [[m1], []]);
  });

  it('has nobody who stands in for it when it fails, and the failure says that it was chosen', async () => {
    const nodes = await withDocument();
    for (const node of nodes.nodes) if (node.url === m1) node.fault = failing('connect-refused');
    const error = await failure(nodes.get('a.txt', { from: m1 }));
    assert.equal(error.code, 'chosen-failed');
    assert.match(error.message, /^http:\/\/m1\.example was chosen: /);
    assert.deepEqual(
      error.alternatives?.tried.map(({ url }) => url),
      [m1],
    );
    assert.deepEqual([asked(nodes), nodes.direct], [[m1], []]);
  });

  it('is not helped out by the origin where copies cannot know', async () => {
    for (const status of [404, 503]) {
      const nodes = await withDocument({ policy: { complete: false } });
      for (const node of nodes.nodes) if (status === 503) node.fault = answering(503, '{}');
      await assert.rejects(nodes.get('dynamic', { from: m1 }), failsWith('chosen-failed'));
      assert.deepEqual([asked(nodes), nodes.direct], [[m1], []]);
    }
    const nodes = await withDocument({ policy: { complete: false } });
    const error = await failure(nodes.get('dynamic', { from: m1 }));
    assert.deepEqual(error.alternatives?.left, [{ url: primary, because: null }]);
  });

  it("may be the primary, of which the origin's answers are", async () => {
    const nodes = await withDocument({ policy: { complete: false } });
    assert.equal((await nodes.get('a.txt', { from: 'primary' })).by, primary);
    assert.equal((await nodes.get('dynamic', { from: 'primary' })).content.toString(), 'from the origin');
    assert.deepEqual(asked(nodes), [primary]);
    nodes.primary.fault = failing('connect-refused');
    await assert.rejects(nodes.get('a.txt', { from: 'primary' }), failsWith('chosen-failed'));
    assert.deepEqual(asked(nodes), [primary]);
  });

  it('gets neither credentials nor writes: they go to the primary all the same', async () => {
    const nodes = await withDocument({ policy: { credentials: 'primary' } });
    const fields = { Cookie: 'session=1' };
    assert.equal((await nodes.get('a.txt', { from: m1, fields })).content.toString(), 'from the origin');
    assert.equal((await nodes.get('a.txt', { from: m1, method: 'PUT' })).content.toString(), 'from the origin');
    assert.deepEqual(asked(nodes), []);
  });

  it('is nobody to whom others fall back, and all are asked again where nobody is chosen', async () => {
    const nodes = await withDocument();
    for (const node of nodes.nodes) if (node.url === m0) node.fault = failing('connect-refused');
    assert.equal((await nodes.get('a.txt')).by, m1);
  });

  it('with strict: only the primary may answer, and the reader is told so', async () => {
    const nodes = await withDocument({ policy: { consistency: { mode: 'strict' } } });
    const error = await failure(nodes.get('a.txt', { from: m1 }));
    assert.deepEqual([error.code, asked(nodes)], ['chosen-failed', []]);
    assert.match(error.message, /m1\.example: only the primary may answer/);
    assert.equal((await nodes.get('a.txt', { from: 'primary' })).by, primary);
  });
});
