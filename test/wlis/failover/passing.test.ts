import assert from 'node:assert/strict';
import { bytes, milliseconds } from '../../../config/units.js';
import { Cancellation } from '../../../proxy/base/cancellation.js';
import { WillisError } from '../../../proxy/base/errors.js';
import type { IncomingResponse } from '../../../proxy/forward/upstream.js';
import { BufferedBody, readAll } from '../../../proxy/http/body.js';
import { Fields } from '../../../proxy/http/fields.js';
import type { Question } from '../../../wlis/choice/choice.js';
import { consumed } from '../../../wlis/failover/consumed-fields.js';
import { failsWith } from '../../forward/upstream-fixture.js';
import { targetOf } from '../../replication/serving/held-example.js';
import { gate } from '../../support/gate.js';
import { until } from '../../support/waiting.js';
import { answering, failing } from './faults.js';
import { NodesFixture } from './nodes-fixture.js';

const m0 = 'http://m0.example';
const namespace = 'http://docs.example.org/';

const ordinary = (fields: Readonly<Record<string, string | string[]>> = {}): IncomingResponse => ({
  ...{ status: 200, reason: 'OK', version: '1.1', fields: Fields.of(fields) },
  body: BufferedBody.from('from the origin'),
});

async function withDocument(options: Parameters<typeof NodesFixture.create>[0] = {}): Promise<NodesFixture> {
  const nodes = await NodesFixture.create(options);
  await nodes.held.put({ 'a.txt': 'Hello', 'many.bin': Buffer.alloc(9_000_000, 'many blocks') });
  nodes.order = (candidates) => candidates;
  return nodes;
}

describe('Rule 5: credentials', () => {
  const secret = { Cookie: 'session=1', Authorization: 'Basic YTpi' };

  it('are dropped where the namespace ignores them: the answer is the same for all, and nobody gets them', async () => {
    const nodes = await withDocument();
    const got = await nodes.get('a.txt', { fields: secret });
    assert.deepEqual([got.content.toString(), got.by], ['Hello', m0]);
    const sent = nodes.nodes.flatMap((node) => node.sent).map((fields) => fields.wire());
    assert.doesNotMatch(sent.join(''), /session|YTpi/);
    assert.match(sent.join(''), /^Cache-Control: only-if-cached\r$/m);
  });

  it('decision 4: what a replica does not hold is then asked for elsewhere, and never forwarded', async () => {
    const nodes = await withDocument();
    const [first] = nodes.nodes;
    if (first !== undefined) first.fault = answering(504, '{}', { 'Content-Type': 'application/problem+json' });
    const got = await nodes.get('a.txt', { fields: secret });
    assert.equal(got.content.toString(), 'Hello');
    assert.equal(nodes.health.of(m0).failure, null, 'that says nothing against it');
  });

  it('otherwise such requests go to the primary as they are, and to nobody else', async () => {
    const nodes = await withDocument({ policy: { credentials: 'primary' } });
    nodes.origin = () => ordinary();
    assert.equal((await nodes.get('a.txt', { fields: secret })).content.toString(), 'from the origin');
    assert.deepEqual([nodes.requests, nodes.direct[0]?.fields.get('cookie')], [[], 'session=1']);
  });

  it('and so does what no replica can know, credentials and all', async () => {
    const nodes = await withDocument({ policy: { complete: false } });
    nodes.origin = () => ordinary();
    assert.equal((await nodes.get('a.txt', { fields: secret })).content.toString(), 'Hello');
    assert.equal((await nodes.get('dynamic', { fields: secret })).content.toString(), 'from the origin');
    assert.equal(nodes.direct[0]?.fields.get('cookie'), 'session=1');
  });

  it('decision 4: if the primary cannot be reached then, nothing unproven takes its place', async () => {
    const nodes = await withDocument({ policy: { complete: false } });
    await assert.rejects(nodes.get('dynamic'), failsWith('connect-refused'));
  });
});

describe('Rule 6: writes', () => {
  it('go to the primary alone, once', async () => {
    const nodes = await withDocument();
    nodes.origin = () => Promise.reject(new WillisError('upstream-reset', 'broke off'));
    await assert.rejects(nodes.get('a.txt', { method: 'PUT' }), failsWith('upstream-reset'));
    assert.deepEqual([nodes.requests, nodes.direct.length], [[], 1]);
    assert.match(nodes.direct[0]?.fields.get('wlis-have') ?? '', /^"http:\/\/docs\.example\.org\/";group=\d+/);
  });
});

describe('Decision 15: what answers say of namespaces', () => {
  it('is heard, and taken out before anybody stores it', async () => {
    const nodes = await withDocument();
    nodes.known = null;
    nodes.origin = () =>
      ordinary({
        'WLIS-Group': `"${namespace}";version=17`,
        'WLIS-Namespace': `"${namespace}";role=primary`,
        'Wlis-Load': '0.5;rps=1;bps=1;capacity=1',
        Link: ['</style.css>; rel=preload', `<${m0}/raw>; rel="duplicate"; pri=1; wlis`],
      });
    const { fields } = await nodes.get('a.txt');
    assert.deepEqual(fields.lines, ['Link', '</style.css>; rel=preload']);
    assert.deepEqual(nodes.heard, [{ namespace, version: 17, at: 'http://docs.example.org' }]);
  });

  it('links that others have joined are told apart, and those of the origin stay', () => {
    const of = (value: string): string[] => consumed(Fields.of({ Link: value })).fields.all('link');
    assert.deepEqual(of('<a,b>; rel="x, y"; wlis, <c>; title="; wlis"'), ['<c>; title="; wlis"']);
    assert.deepEqual(of('<a>; wlis;q, <b;wlis>; rel=next'), ['<b;wlis>; rel=next']);
    assert.deepEqual(of('<a>;wlis'), []);
    const own = Fields.of({ Link: '<a>; rel="wlis"', ETag: '"x"' });
    assert.equal(consumed(own).fields, own, 'nothing is made anew where nothing is told');
  });

  it('load counts only of the node itself', async () => {
    const nodes = await withDocument();
    const [first] = nodes.nodes;
    let isCached = true;
    if (first !== undefined) {
      first.fault = async (_, answer) => {
        const response = await answer();
        const fields = response.fields.plus('WLIS-Load', '0.5;rps=1;bps=1;capacity=1');
        return { ...response, fields: isCached ? fields.without('wlis-namespace') : fields };
      };
    }
    await nodes.get('a.txt');
    assert.equal(nodes.health.of(m0).load, null);
    isCached = false;
    await nodes.get('a.txt');
    assert.equal(nodes.health.of(m0).load?.value, 0.5);
  });
});

describe('Many requests for the same', () => {
  it('ask for one block list together', async () => {
    const nodes = await withDocument();
    const opened = gate();
    for (const node of nodes.nodes) {
      node.fault = async ({ target }, answer) => {
        if (target.path.includes('/blocks/')) await opened.promise;
        return answer();
      };
    }
    const asked = [1, 2, 3].map(() => nodes.get('many.bin'));
    await until(() => nodes.requests.some((request) => request.includes('/blocks/')));
    opened.open();
    for (const { content } of await Promise.all(asked)) assert.equal(content.length, 9_000_000);
    assert.equal(nodes.requests.filter((request) => request.includes('/blocks/')).length, 1);
  });

  it('tell the choice how much there is, once it is known', async () => {
    const nodes = await withDocument();
    await nodes.get('many.bin');
    await nodes.get('many.bin');
    const [first] = nodes.questions as [Question];
    assert.equal(first.size, null);
    assert.equal(nodes.questions.at(-1)?.size, 9_000_000);
    assert.deepEqual([first.client, first.path], ['192.0.2.1', 'many.bin']);
  });

  it('a long content comes from whoever is better for long ones', async () => {
    const nodes = await withDocument();
    nodes.order = (candidates, { size }) => (size === null ? candidates : [...candidates].reverse());
    const { content, by } = await nodes.get('many.bin');
    assert.deepEqual([content.length, by], [9_000_000, 'http://docs.example.org']);
  });
});

describe('Hedging', () => {
  const hedge = { enabled: true, after: 0.5, budget: 1 };

  it('sends a request that is slower than usual elsewhere, and lets the first answer count', async () => {
    const nodes = await withDocument({ settings: { patience: milliseconds(60_000), hedge } });
    for (let i = 0; i < 8; i++) await nodes.get('a.txt');
    const [first] = nodes.nodes;
    let wasCancelled = false;
    if (first !== undefined) {
      first.fault = (_, __, { cancellation }) =>
        new Promise((_resolve, reject) =>
          cancellation.add({
            onCancelled: (reason) => {
              wasCancelled = true;
              reject(reason);
            },
          }),
        );
    }
    const got = await nodes.get('a.txt');
    assert.deepEqual([got.by, wasCancelled, nodes.failover.metrics.hedged.value], ['http://m1.example', true, 1]);
    assert.equal(nodes.health.of(m0).failure, null, 'being slow once is no failure');
  });

  it('not beyond its budget, and not where it is off', async () => {
    for (const settings of [
      { ...hedge, budget: 0.01 },
      { ...hedge, enabled: false },
    ]) {
      const nodes = await withDocument({ settings: { hedge: settings } });
      for (let i = 0; i < 8; i++) await nodes.get('a.txt');
      const [first] = nodes.nodes;
      if (first !== undefined) first.fault = failing('connect-refused');
      await nodes.get('a.txt');
      assert.equal(nodes.failover.metrics.hedged.value, 0);
    }
  });
});

describe('What is in no namespace', () => {
  it('goes the ordinary way', async () => {
    const nodes = await withDocument();
    nodes.origin = () => ordinary({ ETag: '"x"' });
    const target = targetOf('http://other.example/x');
    const request = { method: 'GET', target, fields: Fields.of({ Host: 'other.example' }), body: null };
    const { body, answeredBy } = await nodes.upstream.forward(request, { cancellation: new Cancellation() });
    assert.equal((await readAll(body as BufferedBody, bytes(100))).toString(), 'from the origin');
    assert.deepEqual([answeredBy, nodes.direct[0] === request], [undefined, true]);
  });
});
