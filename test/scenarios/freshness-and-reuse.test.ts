import assert from 'node:assert/strict';
import { answer, type ScriptedFields } from '../support/origin-scripts.js';
import { cacheStatusOf, outcomeOf, startWillis, type Willis } from '../support/willis.js';

const seconds = 1000;

describe('freshness and reuse', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  const store = async (fields: ScriptedFields, path = '/a'): Promise<void> => {
    willis.serve(answer(200, fields, 'stored'));
    await willis.get(path);
  };

  it('a stored response is reused while its lifetime is greater than its age, and no longer (RFC 9111 §4.2)', async () => {
    await store({ 'Cache-Control': 'max-age=60' });
    willis.clock.advance(59 * seconds);
    const last = await willis.get('/a');
    assert.equal(outcomeOf(last), 'hit');
    assert.equal(cacheStatusOf(last)['ttl'], '1');
    willis.clock.advance(1 * seconds);
    const after = await willis.get('/a');
    assert.equal(outcomeOf(after), 'stale');
    assert.equal(willis.origin.count(), 2);
  });

  it('Age counts the time in this cache and the age it came with, and Date is kept (RFC 9111 §5.1, §4.2.3)', async () => {
    await store({ 'Cache-Control': 'max-age=600', Age: '100' });
    const date = willis.clock.httpDate();
    willis.clock.advance(42 * seconds);
    const hit = await willis.get('/a');
    assert.equal(hit.get('age'), '142');
    assert.equal(hit.get('date'), date);
    assert.deepEqual(cacheStatusOf(hit), { hit: true, ttl: '458' });
  });

  it('an old Date makes a response old, whatever its Age says (RFC 9111 §4.2.3)', async () => {
    willis.serve((_request, response) => {
      response.setHeader('Date', willis.clock.httpDate(-50));
      response.setHeader('Cache-Control', 'max-age=60');
      response.end('x');
    });
    await willis.get('/a');
    assert.equal((await willis.get('/a')).get('age'), '50');
    willis.clock.advance(10 * seconds);
    assert.equal(outcomeOf(await willis.get('/a')), 'stale');
  });

  it('an answer that comes straight from the origin server has the Age it came with or none (RFC 9111 §5.1)', async () => {
    willis.serve(answer(200, { 'Cache-Control': 'max-age=60' }, 'x'));
    assert.equal((await willis.get('/a')).get('age'), undefined);
    willis.serve(answer(200, { 'Cache-Control': 'max-age=60', Age: '7' }, 'x'));
    assert.equal((await willis.get('/b')).get('age'), '7');
  });

  it('s-maxage goes before max-age, and max-age before Expires (RFC 9111 §4.2.1)', async () => {
    await store({ 'Cache-Control': 'max-age=1, s-maxage=100', Expires: willis.clock.httpDate(10) }, '/s');
    await store({ 'Cache-Control': 'max-age=50', Expires: willis.clock.httpDate(1000) }, '/m');
    await store({ Expires: willis.clock.httpDate(30) }, '/e');
    assert.equal(cacheStatusOf(await willis.get('/s'))['ttl'], '100');
    assert.equal(cacheStatusOf(await willis.get('/m'))['ttl'], '50');
    assert.equal(cacheStatusOf(await willis.get('/e'))['ttl'], '30');
  });

  it('CDN-Cache-Control goes before Cache-Control and Expires (RFC 9213 §2.2)', async () => {
    await store({ 'CDN-Cache-Control': 'max-age=100', 'Cache-Control': 'no-store', Expires: '0' });
    const hit = await willis.get('/a');
    assert.equal(cacheStatusOf(hit)['ttl'], '100');
    assert.equal(hit.get('cache-control'), 'no-store');
  });

  it('without explicit lifetime a share of the time since Last-Modified counts (RFC 9111 §4.2.2)', async () => {
    await store({ 'Last-Modified': willis.clock.httpDate(-1000) });
    assert.equal(cacheStatusOf(await willis.get('/a'))['ttl'], '100');
    willis.clock.advance(100 * seconds);
    assert.equal(outcomeOf(await willis.get('/a')), 'stale');
  });

  describe('by request directives (RFC 9111 §5.2.1)', () => {
    beforeEach(async () => {
      await store({ 'Cache-Control': 'max-age=60', ETag: '"1"' });
      willis.clock.advance(30 * seconds);
    });

    const cases: [directive: string, outcome: string, section: string][] = [
      ['max-age=30', 'hit', '1'],
      ['max-age=29', 'request', '1'],
      ['max-age=0', 'request', '1'],
      ['min-fresh=30', 'hit', '3'],
      ['min-fresh=31', 'request', '3'],
      ['no-cache', 'request', '4'],
      ['no-store', 'hit', '5'],
      ['only-if-cached', 'hit', '7'],
      ['unheard-of=1', 'hit', '7'],
    ];
    for (const [directive, expected, section] of cases) {
      it(`${directive} at age 30 of 60 makes it: ${expected} (RFC 9111 §5.2.1.${section})`, async () => {
        const response = await willis.get('/a', { 'Cache-Control': directive });
        assert.equal(outcomeOf(response), expected);
        assert.equal(willis.origin.count(), expected === 'hit' ? 1 : 2);
      });
    }

    it('max-stale lets a stale response be used within its bounds (RFC 9111 §5.2.1.2)', async () => {
      willis.clock.advance(60 * seconds);
      for (const directive of ['max-stale=30', 'max-stale']) {
        const response = await willis.get('/a', { 'Cache-Control': directive });
        assert.deepEqual(cacheStatusOf(response), { hit: true, ttl: '-30', detail: 'max-stale' });
        assert.equal(response.get('age'), '90');
      }
      const beyond = await willis.get('/a', { 'Cache-Control': 'max-stale=29' });
      assert.equal(outcomeOf(beyond), 'stale');
    });

    it('no-cache is a validation, and the answer to it is reused (RFC 9111 §5.2.1.4)', async () => {
      willis.serve((request, response) => {
        response.statusCode = request.headers['if-none-match'] === '"1"' ? 304 : 500;
        response.end();
      });
      const response = await willis.get('/a', { 'Cache-Control': 'no-cache' });
      assert.equal(response.status, 200);
      assert.equal(response.body.toString(), 'stored');
      const said = cacheStatusOf(response);
      assert.deepEqual([said['fwd'], said['fwd-status'], said['detail']], ['request', '304', 'request-no-cache']);
    });

    it('Pragma: no-cache counts where there is no Cache-Control (RFC 9111 §5.4)', async () => {
      const withBoth = await willis.get('/a', { Pragma: 'no-cache', 'Cache-Control': 'max-age=1000' });
      assert.equal(outcomeOf(withBoth), 'hit');
      assert.equal(outcomeOf(await willis.get('/a', { Pragma: 'no-cache' })), 'request');
    });
  });

  for (const [what, method, fields] of [
    ['nothing stored', 'GET', {}],
    ['a precondition that only the origin server can judge', 'GET', { 'If-Match': '"1"' }],
  ] as const) {
    it(`only-if-cached is answered by 504 with ${what} (RFC 9111 §5.2.1.7)`, async () => {
      const response = await willis.ask(method, '/never', { ...fields, 'Cache-Control': 'only-if-cached' });
      assert.equal(response.status, 504);
      assert.equal(willis.origin.count(), 0);
      assert.match(response.get('cache-status') ?? '', /willis; fwd=.*not-cached/);
    });
  }

  it('only-if-cached is answered by 504 where the stored response is stale (RFC 9111 §5.2.1.7)', async () => {
    await store({ 'Cache-Control': 'max-age=60', ETag: '"1"' });
    willis.clock.advance(100 * seconds);
    assert.equal((await willis.get('/a', { 'Cache-Control': 'only-if-cached' })).status, 504);
    const tolerant = await willis.get('/a', { 'Cache-Control': 'only-if-cached, max-stale' });
    assert.equal(outcomeOf(tolerant), 'hit');
    assert.equal(willis.origin.count(), 1);
  });

  it('a response with no-cache is validated before every use (RFC 9111 §5.2.2.4)', async () => {
    await store({ 'Cache-Control': 'no-cache, max-age=60', ETag: '"1"' });
    willis.serve(answer(304, { ETag: '"1"', 'Cache-Control': 'no-cache, max-age=60' }));
    for (const count of [2, 3]) {
      const response = await willis.get('/a');
      assert.equal(response.body.toString(), 'stored');
      assert.deepEqual([cacheStatusOf(response)['fwd'], cacheStatusOf(response)['detail']], ['stale', 'no-cache']);
      assert.equal(willis.origin.count(), count);
    }
  });

  it('no answer has a Warning of ours, stale or not (RFC 9111 §5.5)', async () => {
    await store({ 'Cache-Control': 'max-age=10' });
    willis.clock.advance(20 * seconds);
    const stale = await willis.get('/a', { 'Cache-Control': 'max-stale' });
    assert.equal(outcomeOf(stale), 'hit');
    assert.equal(stale.get('warning'), undefined);
  });

  it('every answer has Via with the version in which it was received, and one Cache-Status (RFC 9110 §7.6.3, RFC 9211 §2)', async () => {
    willis.serve(answer(200, { 'Cache-Control': 'max-age=60' }, 'x'));
    const answers = [
      await willis.get('/a'),
      await willis.get('/a'),
      await willis.get('/a', { 'If-Modified-Since': willis.clock.httpDate(10) }),
      await willis.get('/a', { Range: 'bytes=0-0' }),
      await willis.get('/a', { Range: 'bytes=9-' }),
      await willis.ask('HEAD', '/a'),
      await willis.ask('POST', '/a', {}, 'x'),
      await willis.get('/b', { 'Cache-Control': 'only-if-cached' }),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 304, 206, 416, 200, 200, 504],
    );
    for (const response of answers) {
      assert.match(response.get('via') ?? '', /^1\.1 \S+/);
      assert.equal(response.all('cache-status').length, 1);
      assert.match(response.get('cache-status') ?? '', /^willis; (hit|fwd=)/);
      assert.equal(response.all('date').length, 1);
    }
  });

  it("this cache's member of Cache-Status comes after those of caches further in (RFC 9211 §2)", async () => {
    await store({ 'Cache-Control': 'max-age=60', 'Cache-Status': 'inner; hit; ttl=5' });
    const hit = await willis.get('/a');
    assert.equal(hit.get('cache-status'), 'inner; hit; ttl=5, willis; hit; ttl=60');
  });

  it('Cache-Status names the reason why an answer was not stored (RFC 9211 §2.8)', async () => {
    willis.serve(answer(200, { 'Cache-Control': 'private' }, 'x'));
    const said = cacheStatusOf(await willis.get('/a'));
    assert.deepEqual([said['fwd'], said['stored'], said['detail']], ['uri-miss', undefined, 'private']);
  });

  it('a request with content bypasses the cache, and says so (RFC 9110 §9.3.1, RFC 9211 §2.2)', async () => {
    await store({ 'Cache-Control': 'max-age=60' });
    willis.serve(answer(200, { 'Cache-Control': 'max-age=60' }, 'for the content'));
    const response = await willis.ask('GET', '/a', {}, 'content');
    assert.equal(response.body.toString(), 'for the content');
    assert.deepEqual([cacheStatusOf(response)['fwd'], cacheStatusOf(response)['detail']], ['bypass', 'content']);
    assert.equal(willis.origin.last.body.toString(), 'content');
    assert.equal((await willis.get('/a')).body.toString(), 'stored');
  });
});
