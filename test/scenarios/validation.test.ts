import assert from 'node:assert/strict';
import { answer, inTurn, type ScriptedFields } from '../support/origin-scripts.js';
import type { OriginHandler } from '../support/scripted-origin.js';
import { cacheStatusOf, outcomeOf, startWillis, type Willis } from '../support/willis.js';

const seconds = 1000;

describe('validation', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  const storeStale = async (fields: ScriptedFields, body = 'stored'): Promise<void> => {
    willis.serve(answer(200, { 'Cache-Control': 'max-age=10', ...fields }, body));
    await willis.get('/a');
    willis.clock.advance(20 * seconds);
  };

  it('a stale response is validated with its entity-tag and Last-Modified (RFC 9111 §4.3.1)', async () => {
    const modified = willis.clock.httpDate(-1000);
    await storeStale({ ETag: '"1"', 'Last-Modified': modified });
    willis.serve(answer(304, { ETag: '"1"' }));
    await willis.get('/a');
    assert.equal(willis.origin.last.headers['if-none-match'], '"1"');
    assert.equal(willis.origin.last.headers['if-modified-since'], modified);
  });

  it('a 304 freshens: its fields replace the stored ones, but for Content-Length and the coding (RFC 9111 §4.3.4, §3.2)', async () => {
    await storeStale({ ETag: '"1"', 'X-Kept': 'old', 'X-Changed': ['old', 'older'], 'Content-Type': 'text/plain' });
    willis.serve(
      answer(304, {
        ETag: '"1"',
        'X-Changed': 'new',
        'Cache-Control': 'max-age=100',
        'Content-Length': '999',
        'Content-Encoding': 'gzip',
      }),
    );
    const validated = await willis.get('/a');
    assert.deepEqual([cacheStatusOf(validated)['fwd'], cacheStatusOf(validated)['fwd-status']], ['stale', '304']);
    willis.clock.advance(50 * seconds);
    const hit = await willis.get('/a');
    assert.equal(outcomeOf(hit), 'hit');
    for (const response of [validated, hit]) {
      assert.equal(response.status, 200);
      assert.equal(response.body.toString(), 'stored');
      assert.equal(response.contentLength, 6);
      assert.equal(response.get('x-kept'), 'old');
      assert.deepEqual(response.all('x-changed'), ['new']);
      assert.equal(response.get('content-encoding'), undefined);
    }
    assert.equal(hit.get('age'), '50');
    assert.deepEqual(cacheStatusOf(hit), { hit: true, ttl: '50' });
  });

  it('a 304 freshens every stored variant with the same strong entity-tag (RFC 9111 §4.3.4)', async () => {
    const control = { 'Cache-Control': 'max-age=10', Vary: 'X-Kind' };
    willis.serve(answer(200, { ...control, ETag: '"same"' }, 'same'));
    await willis.get('/a', { 'X-Kind': 'one' });
    await willis.get('/a', { 'X-Kind': 'two' });
    willis.serve(answer(200, { ...control, ETag: '"other"' }, 'other'));
    await willis.get('/a', { 'X-Kind': 'three' });
    willis.clock.advance(20 * seconds);
    willis.serve(answer(304, { ...control, 'Cache-Control': 'max-age=100', ETag: '"same"' }));
    await willis.get('/a', { 'X-Kind': 'one' });
    const before = willis.origin.count();
    assert.equal(outcomeOf(await willis.get('/a', { 'X-Kind': 'two' })), 'hit');
    assert.equal(willis.origin.count(), before);
    assert.equal(outcomeOf(await willis.get('/a', { 'X-Kind': 'three' })), 'stale');
  });

  it('a 200 to a validation replaces the stored response (RFC 9111 §4.3.3)', async () => {
    await storeStale({ ETag: '"1"' });
    willis.serve(answer(200, { 'Cache-Control': 'max-age=100', ETag: '"2"' }, 'replaced'));
    const response = await willis.get('/a');
    assert.equal(response.body.toString(), 'replaced');
    assert.deepEqual(
      [cacheStatusOf(response)['fwd'], cacheStatusOf(response)['fwd-status'], cacheStatusOf(response)['stored']],
      ['stale', '200', true],
    );
    assert.equal((await willis.get('/a')).body.toString(), 'replaced');
    assert.equal(willis.origin.count(), 2);
  });

  it('a 200 to a validation that may not be stored still takes the place of what was stored (RFC 9111 §4.3.3)', async () => {
    await storeStale({ ETag: '"1"' });
    willis.serve(answer(200, { 'Cache-Control': 'private' }, 'private now'));
    assert.equal((await willis.get('/a')).body.toString(), 'private now');
    await willis.origin.close();
    assert.equal((await willis.get('/a')).status, 502);
  });

  describe("a client's own If-None-Match", () => {
    it('that the fresh stored response matches is answered by 304 without the origin server (RFC 9111 §4.3.2)', async () => {
      willis.serve(
        answer(200, { 'Cache-Control': 'max-age=60', ETag: '"1"', 'Content-Type': 'text/plain', 'X-A': '1' }, 'stored'),
      );
      await willis.get('/a');
      for (const condition of ['"1"', 'W/"1"', '"0", "1"', '*']) {
        const response = await willis.get('/a', { 'If-None-Match': condition });
        assert.equal(response.status, 304, condition);
        assert.equal(response.get('etag'), '"1"');
        assert.equal(outcomeOf(response), 'hit');
      }
      const other = await willis.get('/a', { 'If-None-Match': '"2"' });
      assert.equal(other.status, 200);
      assert.equal(other.body.toString(), 'stored');
      assert.equal(willis.origin.count(), 1);
    });

    it('is sent together with the stored tag, and answered from what comes back (RFC 9111 §4.3.2)', async () => {
      await storeStale({ ETag: '"1"' });
      willis.serve(answer(304, { ETag: '"1"', 'Cache-Control': 'max-age=60' }));
      const response = await willis.get('/a', { 'If-None-Match': '"client"' });
      const sent = (willis.origin.last.headers['if-none-match'] ?? '').split(', ').sort();
      assert.deepEqual(sent, ['"1"', '"client"']);
      assert.equal(response.status, 200);
      assert.equal(response.body.toString(), 'stored');
    });

    it('is answered by 304 if the origin server names its tag (RFC 9111 §4.3.2)', async () => {
      await storeStale({ ETag: '"1"' });
      willis.serve(answer(304, { ETag: '"client"' }));
      const response = await willis.get('/a', { 'If-None-Match': '"client"' });
      assert.equal(response.status, 304);
      assert.equal(response.get('etag'), '"client"');
    });

    it('on a miss goes to the origin server as it is (RFC 9111 §4.3.2)', async () => {
      willis.serve(answer(304, { ETag: '"client"' }));
      assert.equal((await willis.get('/a', { 'If-None-Match': '"client"' })).status, 304);
      assert.equal(willis.origin.last.headers['if-none-match'], '"client"');
    });
  });

  it("a client's If-Modified-Since is compared with the stored Last-Modified (RFC 9111 §4.3.2)", async () => {
    willis.serve(
      answer(200, { 'Cache-Control': 'max-age=60', 'Last-Modified': willis.clock.httpDate(-100) }, 'stored'),
    );
    await willis.get('/a');
    assert.equal((await willis.get('/a', { 'If-Modified-Since': willis.clock.httpDate(-100) })).status, 304);
    assert.equal((await willis.get('/a', { 'If-Modified-Since': willis.clock.httpDate(-101) })).status, 200);
    assert.equal(willis.origin.count(), 1);
  });

  for (const [name, value] of [
    ['If-Match', '"1"'],
    ['If-Unmodified-Since', 'Wed, 01 Jan 2025 00:00:00 GMT'],
  ] as const) {
    it(`${name} is for the origin server to judge (RFC 9111 §4.3.2)`, async () => {
      willis.serve(answer(200, { 'Cache-Control': 'max-age=60', ETag: '"1"' }, 'stored'));
      await willis.get('/a');
      willis.serve(answer(412, {}, 'failed'));
      const response = await willis.get('/a', { [name]: value });
      assert.equal(response.status, 412);
      assert.equal(willis.origin.last.headers[name.toLowerCase()], value);
      assert.deepEqual(
        [cacheStatusOf(response)['fwd'], cacheStatusOf(response)['detail']],
        ['request', 'precondition'],
      );
      assert.equal(outcomeOf(await willis.get('/a')), 'hit');
    });
  }

  describe('answered by a server error', () => {
    for (const status of [500, 502, 503, 504]) {
      it(`${status} without stale-if-error passes the error on, and keeps the stored response (RFC 9111 §4.3.3)`, async () => {
        await storeStale({ ETag: '"1"' });
        willis.serve(inTurn(answer(status, {}, 'broken'), answer(304, { ETag: '"1"' })));
        const failed = await willis.get('/a');
        assert.equal(failed.status, status);
        assert.equal(failed.body.toString(), 'broken');
        assert.equal((await willis.get('/a')).body.toString(), 'stored');
      });

      it(`${status} within stale-if-error is replaced by the stale response (RFC 5861 §4)`, async () => {
        await storeStale({ ETag: '"1"', 'Cache-Control': 'max-age=10, stale-if-error=15' });
        willis.serve(answer(status, {}, 'broken'));
        const stale = await willis.get('/a');
        assert.equal(stale.status, 200);
        assert.equal(stale.body.toString(), 'stored');
        assert.equal(stale.get('age'), '20');
        const said = cacheStatusOf(stale);
        assert.deepEqual(
          [said['fwd'], said['fwd-status'], said['ttl'], said['detail']],
          ['stale', String(status), '-10', 'stale-if-error'],
        );
        willis.clock.advance(10 * seconds);
        assert.equal((await willis.get('/a')).status, status);
      });
    }

    it('is passed on under must-revalidate, whatever stale-if-error says (RFC 9111 §5.2.2.2)', async () => {
      await storeStale({ ETag: '"1"', 'Cache-Control': 'max-age=10, stale-if-error=1000, must-revalidate' });
      willis.serve(answer(503, {}, 'broken'));
      assert.equal((await willis.get('/a')).status, 503);
    });
  });

  it('a HEAD that agrees freshens the stored response, and one that does not invalidates it (RFC 9111 §4.3.5)', async () => {
    await storeStale({ ETag: '"1"' });
    const head: OriginHandler = answer(200, { ETag: '"1"', 'Cache-Control': 'max-age=100', 'X-New': '1' }, 'stored');
    willis.serve(head);
    await willis.ask('HEAD', '/a', { 'Cache-Control': 'no-cache' });
    const freshened = await willis.get('/a');
    assert.equal(outcomeOf(freshened), 'hit');
    assert.equal(freshened.get('x-new'), '1');
    willis.serve(answer(200, { ETag: '"2"', 'Cache-Control': 'max-age=100' }, 'changed'));
    await willis.ask('HEAD', '/a', { 'Cache-Control': 'no-cache' });
    const after = await willis.get('/a');
    assert.equal(outcomeOf(after), 'stale');
    assert.equal(after.body.toString(), 'changed');
  });

  it('a HEAD for a stale response is validated, and its 304 freshens (RFC 9111 §4.3.5)', async () => {
    await storeStale({ ETag: '"1"' });
    willis.serve(answer(304, { ETag: '"1"', 'Cache-Control': 'max-age=100' }));
    const head = await willis.ask('HEAD', '/a');
    assert.equal(head.status, 200);
    assert.equal(head.contentLength, 6);
    assert.equal(willis.origin.last.method, 'HEAD');
    assert.equal(outcomeOf(await willis.get('/a')), 'hit');
  });

  it('a 304 about a response that nobody has makes the cache ask again without conditions (RFC 9111 §4.3.3)', async () => {
    await storeStale({ ETag: '"1"' });
    willis.serve((request, response, index) =>
      answer(
        request.headers['if-none-match'] === undefined ? 200 : 304,
        { ETag: '"9"', 'Cache-Control': 'max-age=60' },
        'whole',
      )(request, response, index),
    );
    const response = await willis.get('/a');
    assert.equal(response.status, 200);
    assert.equal(response.body.toString(), 'whole');
    assert.equal(willis.origin.count(), 3);
    assert.equal((await willis.get('/a')).body.toString(), 'whole');
    assert.equal(willis.origin.count(), 3);
  });

  it('a 304 to a request that has no condition never reaches its client (RFC 9110 §15.4.5)', async () => {
    willis.serve(answer(304, { ETag: '"9"' }));
    const response = await willis.get('/a');
    assert.equal(response.status, 502);
  });

  it('a 304 without any validator freshens the response it was asked about (RFC 9111 §4.3.4)', async () => {
    await storeStale({ ETag: '"1"' });
    willis.serve(answer(304, { 'Cache-Control': 'max-age=100' }));
    assert.equal((await willis.get('/a')).body.toString(), 'stored');
    assert.equal(outcomeOf(await willis.get('/a')), 'hit');
  });

  it('a response without validator is fetched again as a whole (RFC 9111 §4.3.1)', async () => {
    await storeStale({});
    await willis.get('/a');
    assert.equal(willis.origin.last.headers['if-none-match'], undefined);
    assert.equal(willis.origin.last.headers['if-modified-since'], undefined);
  });
});
