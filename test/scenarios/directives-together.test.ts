import assert from 'node:assert/strict';
import { answer, type ScriptedFields } from '../support/origin-scripts.js';
import { cacheStatusOf, outcomeOf, startWillis, type Willis } from '../support/willis.js';

const seconds = 1000;

describe('directives together', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  const store = async (fields: ScriptedFields, request: Record<string, string> = {}): Promise<void> => {
    willis.serve(answer(200, { ETag: '"1"', ...fields }, 'stored'));
    await willis.get('/a', request);
  };

  for (const control of [
    'max-age=0, must-revalidate',
    'max-age=0, proxy-revalidate',
    's-maxage=0',
    's-maxage=0, max-age=600',
    'max-age=0, no-cache',
  ]) {
    for (const elapsed of [0, 30]) {
      it(`"${control}" is not reused by max-stale after ${elapsed} s (RFC 9111 §4.2.4)`, async () => {
        await store({ 'Cache-Control': control });
        willis.clock.advance(elapsed * seconds);
        willis.serve(answer(304, { ETag: '"1"' }));
        assert.equal(outcomeOf(await willis.get('/a', { 'Cache-Control': 'max-stale' })), 'stale');
        assert.equal(willis.origin.count(), 2);
      });
    }
  }

  it('max-age without max-stale wants nothing stale, whatever stale-while-revalidate allows (RFC 9111 §5.2.1.1)', async () => {
    await store({ 'Cache-Control': 'max-age=10, stale-while-revalidate=600' });
    willis.clock.advance(20 * seconds);
    assert.equal(outcomeOf(await willis.get('/a', { 'Cache-Control': 'max-age=100' })), 'stale');
  });

  it('stale-if-error in the request does not overrule must-revalidate (RFC 9111 §5.2.2.2)', async () => {
    await store({ 'Cache-Control': 'max-age=10, must-revalidate' });
    willis.clock.advance(20 * seconds);
    willis.serve(answer(503, {}, 'down'));
    assert.equal((await willis.get('/a', { 'Cache-Control': 'stale-if-error=600' })).status, 503);
  });

  it('only-if-cached with min-fresh that is not met is answered by 504 (RFC 9111 §5.2.1.7)', async () => {
    await store({ 'Cache-Control': 'max-age=60' });
    const response = await willis.get('/a', { 'Cache-Control': 'only-if-cached, min-fresh=100' });
    assert.equal(response.status, 504);
    assert.equal(willis.origin.count(), 1);
  });

  it('public lets an answer to Authorization serve others, and private takes it back (RFC 9111 §3.5, §5.2.2.7)', async () => {
    const credentials = { Authorization: 'Basic eDp5' };
    await store({ 'Cache-Control': 'public, max-age=60' }, credentials);
    assert.equal(outcomeOf(await willis.get('/a')), 'hit');
    willis.serve(answer(200, { 'Cache-Control': 'public, private, max-age=60' }, 'own'));
    await willis.get('/b', credentials);
    assert.equal(outcomeOf(await willis.get('/b')), 'uri-miss');
  });

  it('of max-age and no-cache the stricter one counts (RFC 9111 §4.2.1)', async () => {
    await store({ 'Cache-Control': 'no-cache', Expires: willis.clock.httpDate(600) });
    willis.serve(answer(304, { ETag: '"1"' }));
    assert.equal(cacheStatusOf(await willis.get('/a'))['detail'], 'no-cache');
  });

  it('an Expires that equals Date is stale at once, and an empty one too (RFC 9111 §5.3)', async () => {
    for (const expires of [willis.clock.httpDate(), '']) {
      await store({ Expires: expires, 'Last-Modified': willis.clock.httpDate(-86_400) });
      willis.serve(answer(304, { ETag: '"1"' }));
      assert.equal(outcomeOf(await willis.get('/a')), 'stale');
    }
  });

  it('a query string does not keep from a heuristic lifetime (RFC 9111 §4.2.2)', async () => {
    willis.serve(answer(200, { 'Last-Modified': willis.clock.httpDate(-86_400) }, 'x'));
    await willis.get('/a?b=c');
    assert.equal(outcomeOf(await willis.get('/a?b=c')), 'hit');
  });

  describe('CDN-Cache-Control', () => {
    const private_ = { 'CDN-Cache-Control': 'max-age=60', 'Cache-Control': 'private' };

    it('opens to this node, before its sites, what is private to others (RFC 9213 §2.2)', async () => {
      await store(private_);
      const hit = await willis.get('/a');
      assert.equal(outcomeOf(hit), 'hit');
      assert.equal(hit.get('cache-control'), 'private');
    });

    it('is not meant for a forward proxy, which acts for its clients (RFC 9213 §3)', async () => {
      willis.serve(answer(200, private_, 'x'));
      const client = await willis.connect(willis.proxyPort);
      for (let i = 0; i < 2; i++) {
        client.request('GET', willis.origin.url('/a'), { Host: willis.origin.authority });
        assert.equal(outcomeOf(await client.receive()), 'uri-miss');
      }
    });

    it('goes with a 304 as with a 200 (RFC 9213 §2.2)', async () => {
      await store({ 'CDN-Cache-Control': 'max-age=10', 'Cache-Control': 'no-store' });
      willis.clock.advance(20 * seconds);
      willis.serve(answer(304, { ETag: '"1"', 'CDN-Cache-Control': 'max-age=60', 'Cache-Control': 'no-store' }));
      await willis.get('/a');
      assert.deepEqual(cacheStatusOf(await willis.get('/a')), { hit: true, ttl: '60' });
    });
  });

  describe('when the clock was set back (RFC 9111 §4.2.3)', () => {
    beforeEach(async () => {
      await store({ 'Cache-Control': 'max-age=60' });
      willis.clock.step(-86_400 * seconds);
    });

    it('what was received in the future is validated, as nobody knows how old it is', async () => {
      willis.serve(answer(304, { ETag: '"1"', 'Cache-Control': 'max-age=60' }));
      assert.equal(outcomeOf(await willis.get('/a')), 'stale');
      assert.deepEqual(cacheStatusOf(await willis.get('/a')), { hit: true, ttl: '60' });
    });

    it('it stands in for an origin server that cannot be reached', async () => {
      await willis.origin.close();
      const response = await willis.get('/a');
      assert.equal(response.status, 200);
      assert.equal(response.body.toString(), 'stored');
    });
  });

  for (const name of ['Forwarded', 'X-Forwarded-For']) {
    it(`Vary on ${name}, which differs for the origin server where it does not here, is not stored (RFC 9111 §4.1)`, async () => {
      await store({ 'Cache-Control': 'max-age=60', Vary: `Accept, ${name}` });
      const again = await willis.get('/a');
      assert.equal(outcomeOf(again), 'uri-miss');
      assert.equal(cacheStatusOf(again)['detail'], 'vary');
    });
  }
});
