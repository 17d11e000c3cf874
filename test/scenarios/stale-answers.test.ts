import assert from 'node:assert/strict';
import { gate } from '../support/gate.js';
import { after, answer, inTurn, type ScriptedFields } from '../support/origin-scripts.js';
import { cacheStatusOf, outcomeOf, startWillis, turns, type Willis } from '../support/willis.js';
import { until } from '../support/waiting.js';

const seconds = 1000;

describe('stale answers', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  const storeStale = async (control: string, fields: ScriptedFields = {}): Promise<void> => {
    willis.serve(answer(200, { 'Cache-Control': control, ETag: '"1"', ...fields }, 'stored'));
    await willis.get('/a');
    willis.clock.advance(20 * seconds);
  };

  describe('while revalidating (RFC 5861 §3)', () => {
    it('are given at once, with one validation behind them, after which the response is fresh', async () => {
      await storeStale('max-age=10, stale-while-revalidate=60');
      const held = gate();
      willis.serve(after(held, answer(304, { ETag: '"1"', 'Cache-Control': 'max-age=100' })));
      for (let i = 0; i < 5; i++) {
        const stale = await willis.get('/a');
        assert.equal(stale.body.toString(), 'stored');
        assert.equal(stale.get('age'), '20');
        assert.deepEqual(cacheStatusOf(stale), { hit: true, ttl: '-10', detail: 'stale-while-revalidate' });
      }
      await willis.origin.received(2);
      assert.equal(willis.origin.last.headers['if-none-match'], '"1"');
      held.open();
      await willis.origin.last.ended;
      await until(async () => cacheStatusOf(await willis.get('/a')).ttl === '100');
      assert.equal(willis.origin.count(), 2);
    });

    it('bring a changed document to the next client', async () => {
      await storeStale('max-age=10, stale-while-revalidate=60');
      willis.serve(answer(200, { 'Cache-Control': 'max-age=100', ETag: '"2"' }, 'changed'));
      assert.equal((await willis.get('/a')).body.toString(), 'stored');
      await willis.origin.received(2);
      await willis.origin.last.ended;
      await turns();
      const next = await willis.get('/a');
      assert.equal(outcomeOf(next), 'hit');
      assert.equal(next.body.toString(), 'changed');
    });

    it("validate the whole without the client's own ranges and conditions", async () => {
      await storeStale('max-age=10, stale-while-revalidate=60');
      willis.serve(answer(304, { ETag: '"1"' }));
      const part = await willis.get('/a', { Range: 'bytes=0-1', 'If-None-Match': '"mine"' });
      assert.equal(part.status, 206);
      await willis.origin.received(2);
      const { headers } = willis.origin.last;
      assert.deepEqual([headers.range, headers['if-none-match']], [undefined, '"1"']);
    });

    it('go on although the validation fails, until their time is over', async () => {
      await storeStale('max-age=10, stale-while-revalidate=60');
      willis.serve((_request, response) => void response.destroy());
      for (const count of [2, 3]) {
        assert.equal((await willis.get('/a')).body.toString(), 'stored');
        await willis.origin.received(count);
        await willis.origin.last.ended;
        await turns();
      }
      willis.serve(answer(304, { ETag: '"1"' }));
      willis.clock.advance(60 * seconds);
      assert.equal(outcomeOf(await willis.get('/a')), 'stale');
    });

    for (const directive of ['must-revalidate', 'proxy-revalidate', 's-maxage=10', 'no-cache']) {
      it(`are forbidden by ${directive} (RFC 9111 §4.2.4)`, async () => {
        await storeStale(`max-age=10, stale-while-revalidate=60, ${directive}`);
        assert.equal(outcomeOf(await willis.get('/a')), 'stale');
      });
    }
  });

  describe('when the origin server cannot be reached (RFC 9111 §4.2.4)', () => {
    it('stand in, and say so', async () => {
      await storeStale('max-age=10');
      await willis.origin.close();
      const stale = await willis.get('/a');
      assert.equal(stale.status, 200);
      assert.equal(stale.body.toString(), 'stored');
      assert.equal(stale.get('age'), '20');
      const said = cacheStatusOf(stale);
      assert.deepEqual(
        [said['fwd'], said['fwd-status'], said['ttl'], said['detail']],
        ['stale', undefined, '-10', 'connect-refused'],
      );
    });

    it('stand in for ranges and conditions as well', async () => {
      await storeStale('max-age=10');
      await willis.origin.close();
      const part = await willis.get('/a', { Range: 'bytes=1-2' });
      assert.equal(part.status, 206);
      assert.equal(part.body.toString(), 'to');
      assert.equal((await willis.get('/a', { 'If-None-Match': '"1"' })).status, 304);
    });

    for (const directive of ['must-revalidate', 'proxy-revalidate', 's-maxage=10', 'no-cache']) {
      it(`are forbidden by ${directive}: the client gets an error (RFC 9111 §5.2.2)`, async () => {
        await storeStale(`max-age=10, ${directive}`);
        await willis.origin.close();
        const failed = await willis.get('/a');
        assert.ok(failed.status === 502 || failed.status === 504, String(failed.status));
        assert.doesNotMatch(failed.body.toString(), /stored/);
      });
    }

    it('do not stand in for a request that wants a validated one (RFC 9111 §5.2.1.4)', async () => {
      await storeStale('max-age=10');
      await willis.origin.close();
      assert.equal((await willis.get('/a', { 'Cache-Control': 'no-cache' })).status, 502);
    });

    it('do not stand in for what an unsafe request has invalidated (RFC 9111 §4.4)', async () => {
      await storeStale('max-age=100');
      willis.serve(answer(204));
      await willis.ask('DELETE', '/a');
      await willis.origin.close();
      assert.equal((await willis.get('/a')).status, 502);
    });

    it('stand in no longer than stale-if-error says, where it says anything (RFC 5861 §4)', async () => {
      await storeStale('max-age=10, stale-if-error=15');
      await willis.origin.close();
      assert.equal((await willis.get('/a')).status, 200);
      willis.clock.advance(10 * seconds);
      assert.equal((await willis.get('/a')).status, 502);
    });
  });

  describe('negative answers', () => {
    for (const status of [404, 405, 410]) {
      it(`${status} without explicit lifetime is kept for the configured time only (RFC 9111 §4.2.2)`, async () => {
        willis.serve(answer(status, {}, 'none'));
        await willis.get('/a');
        willis.clock.advance(9 * seconds);
        assert.deepEqual(cacheStatusOf(await willis.get('/a')), { hit: true, ttl: '1' });
        willis.clock.advance(1 * seconds);
        assert.equal(outcomeOf(await willis.get('/a')), 'stale');
      });
    }

    it('that say how long they are fresh are believed (RFC 9111 §4.2.1)', async () => {
      willis.serve(answer(404, { 'Cache-Control': 'max-age=100' }, 'none'));
      await willis.get('/a');
      assert.equal(cacheStatusOf(await willis.get('/a'))['ttl'], '100');
    });

    for (const status of [400, 403, 429, 500, 502, 503, 504]) {
      it(`${status} without explicit lifetime is never stored (RFC 9111 §3)`, async () => {
        willis.serve(
          inTurn(
            answer(status, { 'Last-Modified': willis.clock.httpDate(-10_000) }, 'broken'),
            answer(200, {}, 'well'),
          ),
        );
        assert.equal((await willis.get('/a')).status, status);
        assert.equal((await willis.get('/a')).status, 200);
      });
    }

    it('5xx with explicit lifetime are stored (RFC 9111 §3)', async () => {
      willis.serve(answer(503, { 'Cache-Control': 'max-age=5' }, 'later'));
      await willis.get('/a');
      assert.equal(outcomeOf(await willis.get('/a')), 'hit');
    });

    it('of this node itself are never stored', async () => {
      await willis.origin.close();
      for (let i = 0; i < 2; i++) {
        const failed = await willis.get('/a');
        assert.equal(failed.status, 502);
        assert.notEqual(outcomeOf(failed), 'hit');
      }
    });
  });

  describe('errors that one request may have provoked', () => {
    const isStored = async (
      status: number,
      fields: ScriptedFields,
      request: Record<string, string>,
    ): Promise<boolean> => {
      willis.serve(answer(status, fields, 'error'));
      const path = `/${willis.origin.count()}`;
      const first = await willis.get(path, request);
      const stored = outcomeOf(await willis.get(path)) === 'hit';
      assert.equal(cacheStatusOf(first)['detail'], stored ? undefined : 'provoked');
      return stored;
    };

    it('are not stored for all if its fields are out of the ordinary', async () => {
      assert.equal(await isStored(404, {}, { 'X-Original-URL': '/b' }), false);
      assert.equal(await isStored(404, {}, { 'X-HTTP-Method-Override': 'DELETE' }), false);
      assert.equal(
        await isStored(404, {}, { 'User-Agent': 'test', Accept: '*/*', 'Accept-Language': 'en', Cookie: 'a=b' }),
        true,
      );
    });

    it('are stored if Vary nominates what is out of the ordinary (RFC 9111 §4.1)', async () => {
      willis.serve(answer(404, { Vary: 'X-Odd' }, 'error'));
      await willis.get('/a', { 'X-Odd': '1' });
      assert.equal(outcomeOf(await willis.get('/a', { 'X-Odd': '1' })), 'hit');
      assert.equal(outcomeOf(await willis.get('/a')), 'vary-miss');
    });

    it('are stored if they say how long they are fresh (RFC 9111 §4.2.1)', async () => {
      assert.equal(await isStored(404, { 'Cache-Control': 'max-age=10' }, { 'X-Odd': '1' }), true);
    });

    it('about the form of very large request fields are not stored even then', async () => {
      const large = { Cookie: 'x'.repeat(9000) };
      assert.equal(await isStored(400, { 'Cache-Control': 'max-age=10' }, large), false);
      assert.equal(await isStored(404, { 'Cache-Control': 'max-age=10' }, large), true);
    });

    it('do not take the place of a document that is stored already', async () => {
      await storeStale('max-age=10');
      willis.serve(inTurn(answer(404, {}, 'error'), answer(304, { ETag: '"1"' })));
      assert.equal((await willis.get('/a', { 'X-Odd': '1' })).body.toString(), 'error');
      assert.equal((await willis.get('/a')).body.toString(), 'stored');
    });

    it('that do not seem to be so do take its place (RFC 9111 §4.3.3)', async () => {
      await storeStale('max-age=10');
      willis.serve(inTurn(answer(404, {}, 'error'), answer(304, { ETag: '"1"' })));
      assert.equal((await willis.get('/a')).status, 404);
      assert.equal(outcomeOf(await willis.get('/a')), 'hit');
    });
  });
});
