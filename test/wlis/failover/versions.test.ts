import assert from 'node:assert/strict';
import { epochMs, milliseconds } from '../../../config/units.js';
import { HeldFixture } from '../../replication/held-fixture.js';
import { failsWith } from '../../forward/upstream-fixture.js';
import { altering, failing, withFields } from './faults.js';
import { NodesFixture, type Got } from './nodes-fixture.js';

const m0 = 'http://m0.example';
const m1 = 'http://m1.example';

const told = ({ content, by }: Got): unknown[] => [content.toString(), by];

/** Nodes, of which the first one stays at what was there at first. */
async function withFrozen(): Promise<NodesFixture> {
  const nodes = await NodesFixture.create();
  nodes.order = (candidates) => candidates;
  const { held } = nodes;
  const frozen = await HeldFixture.create({ issued: epochMs(nodes.clock.now() - 10_000) });
  for (const one of [held, frozen]) await one.put({ 'a.txt': 'one', 'gone.txt': 'soon gone' });
  await held.put({ 'a.txt': 'two', 'gone.txt': null, 'new.txt': 'new' });
  const [first] = nodes.nodes;
  if (first !== undefined) first.held = frozen;
  return nodes;
}

/** Lets the client see what the others have. */
async function see(nodes: NodesFixture, path: string): Promise<Got> {
  nodes.order = (candidates) => candidates.slice(1);
  const got = await nodes.get(path);
  nodes.order = (candidates) => candidates;
  return got;
}

describe('Decisions 1, 2 and 12: how old an answer may be', () => {
  it('what was true under a head that has not expired is believed of a URI of which nothing newer was seen', async () => {
    const nodes = await withFrozen();
    assert.deepEqual(told(await nodes.get('a.txt')), ['one', m0]);
  });

  it('no document goes back: who has only an older one is passed over, and not blamed', async () => {
    const nodes = await withFrozen();
    assert.deepEqual(told(await see(nodes, 'a.txt')), ['two', m1]);
    const got = await nodes.get('a.txt');
    assert.deepEqual(told(got), ['two', m1]);
    assert.match(got.response.answeredBy?.skipped[0]?.because ?? '', /older than what was there before/);
    assert.deepEqual([nodes.warnings, nodes.health.of(m0).failure], [[], null]);
  });

  it('the same by whichever query it was asked for', async () => {
    const nodes = await withFrozen();
    assert.deepEqual(told(await see(nodes, 'a.txt?v=1')), ['two', m1]);
    assert.deepEqual(told(await nodes.get('a.txt')), ['two', m1]);
    assert.deepEqual(told(await nodes.get('a.txt?v=2')), ['two', m1]);
    // that a query has no document of its own is not held against what answers it
    assert.deepEqual(told(await nodes.get('a.txt?v=2')), ['two', m1]);
    assert.deepEqual(told(await nodes.get('%61.txt?v=2')), ['two', m1]);
  });

  it('what was gone does not come back, and what was there is gone only under a later head', async () => {
    const nodes = await withFrozen();
    assert.equal((await see(nodes, 'gone.txt')).status, 404);
    assert.equal((await nodes.get('gone.txt')).status, 404);
    assert.equal((await see(nodes, 'new.txt')).status, 200);
    assert.deepEqual(told(await nodes.get('new.txt')), ['new', m1]);
  });

  it('it is known of a node that it has long been behind, by what it proves', async () => {
    const nodes = await withFrozen();
    const behind = () => nodes.positions.farBehind(m0, nodes.held.namespace);
    await see(nodes, 'a.txt');
    await nodes.get('a.txt');
    assert.equal(behind(), null);
    nodes.clock.advance(61_000);
    await nodes.get('a.txt');
    assert.deepEqual(behind()?.time, 61_000);
    assert.ok((behind()?.missing ?? 0) > 0, 'it lacks changes');
    assert.equal(nodes.positions.farBehind(m1, nodes.held.namespace), null);
  });

  it('it asks for no copy older than its own, by the version that was verified', async () => {
    const nodes = await withFrozen();
    await see(nodes, 'a.txt');
    await nodes.get('a.txt');
    assert.match(
      nodes.nodes[0]?.sent.at(-1)?.get('wlis-min-seq') ?? '',
      /^"http:\/\/docs\.example\.org\/";epoch="[^"]+";seq=3$/,
    );
  });

  it('a head that has not expired is preferred', async () => {
    const nodes = await withFrozen();
    nodes.clock.advance(300_000);
    await nodes.held.renew({ issued: nodes.clock.now() });
    assert.deepEqual(told(await nodes.get('a.txt')), ['two', m1]);
  });

  it('where nobody has one the newest of the others serves, and is marked', async () => {
    const nodes = await withFrozen();
    nodes.clock.advance(3_600_000);
    for (const { held } of nodes.nodes) held.confirmedAge = milliseconds(3_600_000);
    const got = await nodes.get('a.txt');
    assert.deepEqual(told(got), ['two', m1]);
    assert.equal(got.response.answeredBy?.isUnconfirmed, true);
    const asked = nodes.requests.length;
    nodes.order = (candidates) => candidates.slice(1);
    assert.deepEqual(told(await nodes.get('a.txt')), ['two', m1]);
    assert.equal(nodes.requests.length, asked + 1, 'not everybody is asked again at once');
  });

  it('but not beyond the grace of the namespace, nor where it is bounded', async () => {
    const nodes = await withFrozen();
    nodes.clock.advance(7.5 * 86_400_000);
    await assert.rejects(nodes.get('a.txt'), failsWith('content-unreachable'));
    const bounded = await NodesFixture.create({
      policy: { consistency: { mode: 'bounded', bound: milliseconds(30_000) } },
    });
    await bounded.held.put({ 'a.txt': 'one' });
    bounded.clock.advance(3_600_000);
    await assert.rejects(bounded.get('a.txt'), failsWith('content-unreachable'));
  });

  it('one that holds back newer heads cannot say that its own is new', async () => {
    const nodes = await withFrozen();
    const [first] = nodes.nodes;
    nodes.clock.advance(3_600_000);
    await nodes.held.renew({ issued: nodes.clock.now() });
    if (first !== undefined) {
      const jws = first.held.edition?.head.jws ?? '';
      first.fault = altering(
        /\/raw\//,
        withFields((fields) => fields.with('WLIS-Head', `"${jws}";age=10`)),
      );
    }
    assert.deepEqual(told(await nodes.get('a.txt')), ['two', m1]);
    assert.deepEqual(
      nodes.warnings.map(({ url, isBlamed }) => [url, isBlamed]),
      [[m0, true]],
    );
  });

  it('where what is promised is strict only the primary is asked', async () => {
    const nodes = await NodesFixture.create({ policy: { consistency: { mode: 'strict' } } });
    await nodes.held.put({ 'a.txt': 'one' });
    assert.deepEqual(told(await nodes.get('a.txt')), ['one', 'http://docs.example.org']);
    nodes.primary.fault = failing('connect-refused');
    await assert.rejects(nodes.get('a.txt'), failsWith('content-unreachable'));
  });

  it('a replica that does not yet have what is asked for says so, and is not blamed', async () => {
    const nodes = await withFrozen();
    const [first] = nodes.nodes;
    const problem = '{"detail":"x","status":503,"type":"urn:willis:problem:behind"}';
    if (first !== undefined) {
      first.fault = altering(/\/raw\//, (answer) => ({
        ...answer,
        status: 503,
        fields: answer.fields.without('wlis-head').with('Content-Type', 'application/problem+json'),
        body: {
          ...answer.body,
          length: null,
          trailers: answer.fields,
          cancel: () => undefined,
          read: oneRead(problem),
        },
      }));
    }
    assert.deepEqual(told(await nodes.get('a.txt')), ['two', m1]);
    assert.equal(nodes.health.of(m0).failure, null);
  });
});

function oneRead(text: string): () => Buffer | null {
  let left: Buffer | null = Buffer.from(text);
  return () => {
    const chunk = left;
    left = null;
    return chunk;
  };
}
