import assert from 'node:assert/strict';
import { OperatedWillis } from '../admin/operator-fixture.js';
import { gate } from '../support/gate.js';
import { after, answer, answerInPieces, type ScriptedFields } from '../support/origin-scripts.js';
import type { RawResponse } from '../support/raw-client.js';
import { cacheStatusOf, outcomeOf, turns, type Willis } from '../support/willis.js';

const seconds = 1000;
const uri = (path: string): string => `http://site.test${path}`;

describe('purging', () => {
  let node: OperatedWillis;
  let willis: Willis;

  beforeEach(async () => {
    node = await OperatedWillis.start();
    willis = node.willis;
  });
  afterEach(() => node.stop());

  const store = async (path = '/a', fields: ScriptedFields = {}): Promise<void> => {
    willis.serve(answer(200, { 'Cache-Control': 'max-age=600', ETag: '"1"', ...fields }, 'stored'));
    assert.equal((await willis.get(path)).status, 200);
  };
  const text = ({ body }: RawResponse): string => body.toString();

  describe('softly', () => {
    it('lets the next request validate, once for all who ask, after which the response is fresh', async () => {
      await store();
      assert.equal(outcomeOf(await willis.get('/a')), 'hit');
      assert.equal(await node.purge({ uri: uri('/a') }), 1);
      const held = gate();
      willis.serve(after(held, answer(304, { ETag: '"1"', 'Cache-Control': 'max-age=600' })));
      const clients = await Promise.all([1, 2, 3].map(() => willis.begin('GET', '/a')));
      await willis.origin.received(2);
      await turns(100);
      held.open();
      const answers = await Promise.all(clients.map((client) => client.receive()));
      assert.deepEqual(answers.map(text), ['stored', 'stored', 'stored']);
      assert.deepEqual(answers.map(outcomeOf), ['stale', 'stale', 'stale']);
      assert.equal(willis.origin.last.headers['if-none-match'], '"1"');
      assert.equal(outcomeOf(await willis.get('/a')), 'hit');
      assert.equal(willis.origin.count(), 2);
    });

    it('may go on to answer with it within stale-while-revalidate (RFC 5861 §3)', async () => {
      await store('/a', { 'Cache-Control': 'max-age=600, stale-while-revalidate=60' });
      willis.clock.advance(100 * seconds);
      await node.purge({ uri: uri('/a') });
      willis.serve(answer(200, { 'Cache-Control': 'max-age=600' }, 'new'));
      const stale = await willis.get('/a');
      assert.deepEqual(cacheStatusOf(stale), { hit: true, ttl: '0', detail: 'stale-while-revalidate' });
      assert.deepEqual([text(stale), stale.get('age')], ['stored', '100']);
      await willis.origin.received(2);
      await willis.origin.last.ended;
      await turns();
      const next = await willis.get('/a');
      assert.deepEqual([text(next), outcomeOf(next)], ['new', 'hit']);
      assert.equal(willis.origin.count(), 2);
    });

    it('ends that use when stale-while-revalidate has passed since the purge', async () => {
      await store('/a', { 'Cache-Control': 'max-age=600, stale-while-revalidate=60' });
      await node.purge({ uri: uri('/a') });
      willis.clock.advance(61 * seconds);
      willis.serve(answer(200, { 'Cache-Control': 'max-age=600' }, 'new'));
      assert.equal(text(await willis.get('/a')), 'new');
    });

    it('lets it stand in for an error within stale-if-error, or when nobody can be reached (RFC 5861 §4)', async () => {
      await store('/a', { 'Cache-Control': 'max-age=600, stale-if-error=60' });
      await store('/b');
      await node.purge({ host: 'site.test' });
      willis.serve(answer(503, {}, 'out of order'));
      assert.equal(text(await willis.get('/a')), 'stored');
      assert.equal((await willis.get('/b')).status, 503);
      await willis.origin.close();
      for (const path of ['/a', '/b']) assert.equal(text(await willis.get(path)), 'stored');
    });

    it('never answers with it where the origin server forbids what is stale (RFC 9111 §4.2.4)', async () => {
      for (const control of ['must-revalidate', 'proxy-revalidate', 's-maxage=600']) {
        await store(`/${control}`, { 'Cache-Control': `max-age=600, stale-if-error=600, ${control}` });
      }
      await node.purge({ host: 'site.test' });
      await willis.origin.close();
      for (const control of ['must-revalidate', 'proxy-revalidate', 's-maxage=600']) {
        assert.equal((await willis.get(`/${control}`)).status, 502, control);
      }
    });

    it('is not undone by setting the clock back', async () => {
      await store();
      willis.clock.advance(100 * seconds);
      await node.purge({ uri: uri('/a') });
      willis.clock.step(-50 * seconds);
      willis.serve(answer(200, {}, 'new'));
      assert.equal(text(await willis.get('/a')), 'new');
    });
  });

  describe('hard', () => {
    it('forgets: the next request is forwarded as if nothing had ever been stored', async () => {
      await store();
      assert.equal(await node.purge({ uri: uri('/a'), hard: true }), 1);
      willis.serve(answer(200, { 'Cache-Control': 'max-age=600' }, 'new'));
      const next = await willis.get('/a');
      assert.deepEqual([text(next), outcomeOf(next)], ['new', 'uri-miss']);
      assert.equal(willis.origin.last.headers['if-none-match'], undefined);
    });

    it('leaves nothing that could stand in for an origin server that cannot be reached', async () => {
      await store('/a', { 'Cache-Control': 'max-age=600, stale-if-error=600' });
      await node.purge({ uri: uri('/a'), hard: true });
      await willis.origin.close();
      assert.equal((await willis.get('/a')).status, 502);
    });
  });

  describe('what is under way', () => {
    for (const hard of [false, true]) {
      const how = hard ? 'hard' : 'soft';

      it(`${how}: an answer to a request from before reaches its client, and counts as purged for others`, async () => {
        const held = gate();
        willis.serve(after(held, answer(200, { 'Cache-Control': 'max-age=600', ETag: '"1"' }, 'before')));
        const early = await willis.begin('GET', '/a');
        await willis.origin.received(1);
        assert.equal(await node.purge({ uri: uri('/a'), hard }), 0);
        held.open();
        assert.equal(text(await early.receive()), 'before');
        await turns();
        willis.serve(answer(200, { 'Cache-Control': 'max-age=600' }, 'after'));
        const next = await willis.get('/a');
        assert.deepEqual([text(next), outcomeOf(next)], ['after', hard ? 'uri-miss' : 'stale']);
      });

      it(`${how}: a request from afterwards does not wait for an answer to one from before`, async () => {
        const held = gate();
        willis.serve((request, response, index) =>
          index === 0
            ? after(held, answer(200, { 'Cache-Control': 'max-age=600' }, 'before'))(request, response, index)
            : answer(200, { 'Cache-Control': 'max-age=600' }, 'after')(request, response, index),
        );
        const early = await willis.begin('GET', '/a');
        await willis.origin.received(1);
        await node.purge({ prefix: uri('/'), hard });
        const late = await willis.get('/a');
        assert.deepEqual([text(late), cacheStatusOf(late)['collapsed']], ['after', undefined]);
        held.open();
        assert.equal(text(await early.receive()), 'before');
        await turns();
        // the later of the two stays, or is asked for again
        const next = await willis.get('/a');
        assert.equal(text(next), 'after');
      });

      it(`${how}: a request from afterwards does not join a transfer that began before`, async () => {
        const held = gate();
        willis.serve((request, response, index) =>
          index === 0
            ? answerInPieces(200, { 'Cache-Control': 'max-age=600' }, 'be', held, 'fore')(request, response, index)
            : answer(200, { 'Cache-Control': 'max-age=600' }, 'after')(request, response, index),
        );
        const early = await willis.begin('GET', '/a');
        await willis.origin.received(1);
        await turns(100);
        await node.purge({ uri: uri('/a'), hard });
        assert.equal(text(await willis.get('/a')), 'after');
        held.open();
        assert.equal(text(await early.receive()), 'before');
      });

      it(`${how}: a validation from before does not make it fresh again`, async () => {
        await store();
        willis.clock.advance(700 * seconds);
        const held = gate();
        willis.serve(after(held, answer(304, { ETag: '"1"', 'Cache-Control': 'max-age=600' })));
        const early = await willis.begin('GET', '/a');
        await willis.origin.received(2);
        await node.purge({ uri: uri('/a'), hard });
        willis.serve(answer(200, { 'Cache-Control': 'max-age=600' }, 'after'));
        held.open();
        assert.equal((await early.receive()).status, 200);
        await turns();
        assert.equal(text(await willis.get('/a')), 'after');
      });

      it(`${how}: an answer to POST from before is not stored for GET as if it were new`, async () => {
        const held = gate();
        const fields = { 'Cache-Control': 'max-age=600', 'Content-Location': '/a' };
        willis.serve(after(held, answer(200, fields, 'before')));
        const early = await willis.begin('POST', '/a', {}, 'x');
        await willis.origin.received(1);
        await node.purge({ uri: uri('/a'), hard });
        held.open();
        await early.receive();
        await turns();
        willis.serve(answer(200, { 'Cache-Control': 'max-age=600' }, 'after'));
        assert.equal(text(await willis.get('/a')), 'after');
      });
    }
  });

  describe('what is meant', () => {
    const isHit = async (path: string): Promise<boolean> => outcomeOf(await willis.get(path)) === 'hit';

    it('is a URI on all sides of the node, with and without its scheme', async () => {
      await store();
      const { authority } = willis.origin;
      const throughProxy = async (): Promise<RawResponse> => {
        const client = await willis.connect(willis.proxyPort);
        client.request('GET', `http://${authority}/a`, { Host: authority });
        return client.receive();
      };
      await throughProxy();
      assert.equal(outcomeOf(await throughProxy()), 'hit');
      const client = await willis.begin('GET', '/a', { Host: authority });
      await client.receive();
      assert.equal(await node.purge({ uri: `HTTP://${authority}/a` }), 2);
      assert.notEqual(outcomeOf(await throughProxy()), 'hit');
      assert.equal(await node.purge({ uri: 'Site.Test/a' }), 1);
      assert.equal(await isHit('/a'), false);
    });

    it('is every URI that begins with a prefix', async () => {
      for (const path of ['/static/a', '/static/b?c', '/other']) await store(path);
      assert.equal(await node.purge({ prefix: 'site.test/static/' }), 2);
      assert.deepEqual([await isHit('/other'), await isHit('/static/a')], [true, false]);
    });

    it('is a host, or a cache group of an origin (RFC 9875)', async () => {
      await store('/a', { 'Cache-Groups': '"scripts"' });
      await store('/b');
      assert.equal(await node.purge({ group: 'scripts', origin: 'http://site.test' }), 1);
      assert.deepEqual([await isHit('/b'), await isHit('/a')], [true, false]);
      assert.equal(await node.purge({ host: 'site.test:80' }), 2);
      assert.equal(await node.purge({ host: 'site.test:81' }), 0);
      assert.equal(await isHit('/b'), false);
    });
  });
});
