import assert from 'node:assert/strict';
import type { ExplainedRequest } from '../../proxy/admin/operator-explain.js';
import { answer, answerBrokenOff, type ScriptedFields } from '../support/origin-scripts.js';
import { cacheStatusOf, turns, type Willis } from '../support/willis.js';
import { OperatedWillis } from './operator-fixture.js';

type Lines = Readonly<Record<string, string>>;

const seconds = 1000;

describe('POST /api/explain', () => {
  let node: OperatedWillis;
  let willis: Willis;

  beforeEach(async () => {
    node = await OperatedWillis.start({
      cache: { rules: [{ match: 'http://site.test/never/', store: false }] },
      access: {
        destinations: { allow: ['127.0.0.1'] },
        rules: [{ action: 'deny', clients: ['203.0.113.0/24'], sides: ['proxy', 'site'] }],
      },
    });
    willis = node.willis;
  });
  afterEach(() => node.stop());

  const serve = (fields: ScriptedFields = {}, body = 'content'): void =>
    willis.serve(answer(200, { 'Cache-Control': 'max-age=60', ETag: '"1"', ...fields }, body));
  const explain = (path: string, more: Readonly<Record<string, unknown>> = {}): Promise<ExplainedRequest> =>
    node.call('/api/explain', { url: `http://site.test${path}`, ...more });

  describe('says what comes true', () => {
    /** Explains a request, makes it, and compares what was said with what was done. */
    const comesTrue = async (method: string, path: string, fields: Lines = {}): Promise<ExplainedRequest> => {
      const told = await explain(path, { method, fields: Object.entries(fields), side: 'site' });
      const before = willis.origin.count();
      const response = await willis.ask(method, path, fields);
      const expected = cacheStatusOf({ get: () => told.next.cacheStatus });
      const done = cacheStatusOf(response);
      for (const [name, value] of Object.entries(expected))
        assert.equal(done[name], value, `${name} of ${told.next.because}`);
      assert.equal(willis.origin.count() > before, told.next.onFailure !== null, told.next.because);
      if (told.next.onFailure !== null) {
        for (const [name, value] of told.next.asks) {
          assert.equal(willis.origin.last.headers[name.toLowerCase()], value, told.next.because);
        }
      }
      return told;
    };

    it('of a miss, a hit, a validation and an invalidation', async () => {
      serve();
      assert.equal((await comesTrue('GET', '/a')).next.plan, 'fetch');
      assert.equal((await comesTrue('GET', '/a')).next.plan, 'hit');
      assert.equal((await comesTrue('HEAD', '/a')).next.plan, 'hit');
      assert.equal((await comesTrue('GET', '/a', { 'Cache-Control': 'no-cache' })).next.plan, 'validate');
      willis.clock.advance(90 * seconds);
      assert.equal((await comesTrue('GET', '/a', { 'Cache-Control': 'max-stale=60' })).next.plan, 'hit');
      assert.equal((await comesTrue('GET', '/a')).next.plan, 'validate');
      assert.equal((await comesTrue('POST', '/a')).next.plan, 'bypass');
      assert.match((await comesTrue('GET', '/a')).next.because, /invalidated/);
    });

    it('of variants', async () => {
      serve({ Vary: 'Accept-Language' });
      await willis.get('/a', { 'Accept-Language': 'de' });
      assert.equal(
        (await comesTrue('GET', '/a', { 'Accept-Language': 'en' })).next.cacheStatus,
        'willis; fwd=vary-miss',
      );
      const told = await comesTrue('GET', '/a', { 'Accept-Language': 'DE' });
      assert.deepEqual([told.next.plan, told.stored.length], ['hit', 2]);
    });

    it('of parts', async () => {
      const fields = { 'Cache-Control': 'max-age=60', ETag: '"1"', 'Content-Length': '100000' };
      willis.serve(answerBrokenOff(200, fields, 'x'.repeat(40_000)));
      const client = await willis.begin('GET', '/a');
      await client.rest();
      await turns(50);
      const told = await explain('/a');
      assert.deepEqual([told.stored[0]?.complete, told.next.plan], [false, 'complete']);
      serve({}, 'x'.repeat(100_000));
      await comesTrue('GET', '/a');
    });

    it('of stale answers, and of refusals', async () => {
      serve({ 'Cache-Control': 'max-age=60, stale-while-revalidate=60' });
      await willis.get('/a');
      willis.clock.advance(70 * seconds);
      const told = await explain('/a');
      assert.equal(told.next.plan, 'hit-and-validate');
      assert.deepEqual(cacheStatusOf(await willis.get('/a')), {
        hit: true,
        ttl: '-10',
        detail: 'stale-while-revalidate',
      });
      const refused = await explain('/b', { fields: [['Cache-Control', 'only-if-cached']] });
      assert.equal(refused.next.plan, 'refuse');
      assert.equal((await willis.get('/b', { 'Cache-Control': 'only-if-cached' })).status, 504);
    });

    it('of what a rule keeps out of the store', async () => {
      serve();
      const told = await comesTrue('GET', '/never/a');
      assert.deepEqual([told.rule?.match, told.next.plan], ['http://site.test/never/', 'bypass']);
    });
  });

  it('changes nothing: neither what is stored, nor its order, nor what others are told', async () => {
    serve();
    await willis.get('/a');
    const [first, second] = [await explain('/a'), await explain('/a')];
    assert.deepEqual(first, second);
    assert.equal(willis.origin.count(), 1);
  });

  it('says on which side, and which site serves it', async () => {
    serve();
    await willis.get('/a');
    const found = await explain('/a');
    assert.deepEqual([found.side, found.key], ['site', 'site|http://site.test/a']);
    assert.deepEqual(found.site, { host: '*', prefix: '/', origin: willis.origin.url('/') });
    const asked = await explain('/a', { side: 'proxy' });
    assert.deepEqual([asked.side, asked.key, asked.stored, asked.site], ['proxy', '|http://site.test/a', [], null]);
    assert.equal((await explain('/not/stored')).side, 'proxy');
  });

  it('says of a logical name what it stands for and who gave it, and the rest of what it stands for', async () => {
    await willis.reload({ wlis: { names: { '*.docs': 'https://docs.example/' } } });
    const named = (url: string): Promise<ExplainedRequest> => node.call('/api/explain', { url });
    const told = await named('http://manual.docs.wlis/a');
    assert.deepEqual(told.named, { url: 'http://manual.docs.wlis/a', pattern: '*.docs', by: 'wlis.names' });
    assert.deepEqual([told.uri, told.side], ['https://docs.example/manual/a', 'proxy']);
    assert.equal((await explain('/a')).named, null);
    const unknown = await node.post('/api/explain', { url: 'http://other.wlis/' });
    assert.equal(unknown.status, 400);
    assert.match(unknown.body.toString(), /other\.wlis is not known to this node/);
  });

  it('says what the access rules say of a client', async () => {
    const judged = async (client: string, side = 'site'): Promise<unknown> =>
      (await explain('/a', { client, side })).access;
    assert.deepEqual(await judged('203.0.113.9'), { kind: 'deny', rule: 0, client: '203.0.113.9' });
    assert.deepEqual(await judged('192.0.2.1'), { kind: 'no-rule', client: '192.0.2.1' });
    assert.deepEqual(await judged('192.0.2.1', 'proxy'), { kind: 'no-client', client: '192.0.2.1' });
    assert.equal((await explain('/a')).access, null);
  });

  for (const [body, why] of [
    [{}, 'a url is wanted'],
    [{ url: '/a' }, "url: '/a' is not an absolute http or https URL"],
    [{ url: 'http://a.test/ b' }, 'not allowed there'],
    [{ url: 'http://a.test/', method: 'G ET' }, "method: 'G ET' is no method"],
    [
      { url: 'http://a.test/', fields: { Accept: 'x' } },
      'fields: expected a list of pairs [name, value], got {"Accept":"x"}',
    ],
    [{ url: 'http://a.test/', fields: [['Accept']] }, 'a list of pairs'],
    [{ url: 'http://a.test/', fields: [['Acc ept', 'x']] }, "fields: 'Acc ept' is no field name"],
    [{ url: 'http://a.test/', fields: [['Accept', 'x\r\ny']] }, 'the value of Accept has characters'],
    [{ url: 'http://a.test/', side: 'admin' }, "side: expected proxy or site, got 'admin'"],
    [{ url: 'http://a.test/', client: 'somebody' }, "client: 'somebody' is no IP address"],
    [{ url: 'http://a.test/', user: 'x' }, 'there is no member "user"'],
  ] as const) {
    it(`${JSON.stringify(body)} is refused with 400`, async () => {
      const response = await node.post('/api/explain', body);
      assert.equal(response.status, 400);
      const { detail } = JSON.parse(response.body.toString()) as { detail: string };
      assert.ok(detail.includes(why), detail);
    });
  }
});
