import assert from 'node:assert/strict';
import { gate } from '../support/gate.js';
import { after, answer, answerInPieces, type ScriptedFields } from '../support/origin-scripts.js';
import type { OriginHandler } from '../support/scripted-origin.js';
import { outcomeOf, startWillis, type Willis } from '../support/willis.js';

const fresh = { 'Cache-Control': 'max-age=600' };

describe('invalidation', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  /** GET is answered with fresh content that differs each time, any other method with the given answer. */
  const serving =
    (status: number, fields: ScriptedFields = {}, got: ScriptedFields = {}): OriginHandler =>
    (request, response, index) =>
      request.method === 'GET'
        ? answer(200, { ...fresh, ...got }, `version ${index}`)(request, response, index)
        : answer(status, fields, 'done')(request, response, index);

  const isHit = async (path: string): Promise<boolean> => outcomeOf(await willis.get(path)) === 'hit';

  for (const method of ['PUT', 'POST', 'DELETE', 'PATCH', 'NOTIFY']) {
    for (const status of [200, 201, 204, 303]) {
      it(`${method} answered by ${status} invalidates its target (RFC 9111 §4.4)`, async () => {
        willis.serve(serving(status));
        await willis.get('/a');
        assert.equal(await isHit('/a'), true);
        await willis.ask(method, '/a', {}, 'change');
        const next = await willis.get('/a');
        assert.equal(outcomeOf(next), 'stale');
        assert.equal(next.body.toString(), 'version 2');
      });
    }
  }

  for (const status of [400, 404, 409, 500, 503]) {
    it(`POST answered by ${status} invalidates nothing (RFC 9111 §4.4)`, async () => {
      willis.serve(serving(status));
      await willis.get('/a');
      await willis.ask('POST', '/a', {}, 'change');
      assert.equal(await isHit('/a'), true);
    });
  }

  for (const method of ['OPTIONS', 'PROPFIND']) {
    it(`${method}, a safe method, invalidates nothing (RFC 9111 §4.4)`, async () => {
      willis.serve(serving(200));
      await willis.get('/a');
      await willis.ask(method, '/a');
      assert.equal(await isHit('/a'), true);
    });
  }

  for (const name of ['Location', 'Content-Location']) {
    it(`${name} of the same origin is invalidated as well (RFC 9111 §4.4)`, async () => {
      willis.serve(serving(201, { [name]: '/b' }));
      await willis.get('/b');
      await willis.get('/c');
      await willis.ask('POST', '/a', {}, 'change');
      assert.equal(await isHit('/b'), false);
      assert.equal(await isHit('/c'), true);
    });

    it(`${name} as the origin server spells it, too, is about what is stored here (RFC 9111 §4.4)`, async () => {
      willis.serve(serving(201, { [name]: willis.origin.url('/b') }));
      await willis.get('/b');
      await willis.ask('POST', '/a', {}, 'change');
      assert.equal(await isHit('/b'), false);
    });

    it(`${name} of another origin invalidates nothing there (RFC 9111 §4.4)`, async () => {
      willis.serve(serving(201, { [name]: 'http://other.test/b' }));
      await willis.get('/b', { Host: 'other.test' });
      await willis.ask('POST', '/a', {}, 'change');
      assert.equal(outcomeOf(await willis.get('/b', { Host: 'other.test' })), 'hit');
    });
  }

  it('every variant of the target is invalidated (RFC 9111 §4.4)', async () => {
    willis.serve(serving(204, {}, { Vary: 'X-Kind' }));
    await willis.get('/a', { 'X-Kind': 'one' });
    await willis.get('/a', { 'X-Kind': 'two' });
    await willis.ask('DELETE', '/a');
    for (const kind of ['one', 'two']) assert.equal(outcomeOf(await willis.get('/a', { 'X-Kind': kind })), 'stale');
  });

  it('what is invalid is validated before it is used, even under max-stale (RFC 9111 §4.4)', async () => {
    willis.serve(serving(204, {}, { ETag: '"1"' }));
    await willis.get('/a');
    await willis.ask('PUT', '/a', {}, 'change');
    willis.serve(answer(304, { ETag: '"1"', ...fresh }));
    const response = await willis.get('/a', { 'Cache-Control': 'max-stale' });
    assert.equal(response.body.toString(), 'version 0');
    assert.equal(willis.origin.last.headers['if-none-match'], '"1"');
    assert.equal(await isHit('/a'), true);
  });

  it('the members of a cache group are invalidated together, within their origin (RFC 9875 §3)', async () => {
    willis.serve(serving(200, { 'Cache-Group-Invalidation': '"scripts"' }, { 'Cache-Groups': '"scripts", "all"' }));
    await willis.get('/1.js');
    await willis.get('/2.js');
    await willis.get('/1.js', { Host: 'other.test' });
    willis.serve(serving(200, { 'Cache-Group-Invalidation': '"scripts"' }, { 'Cache-Groups': '"styles"' }));
    await willis.get('/1.css');
    await willis.ask('POST', '/deploy', {}, 'now');
    assert.equal(await isHit('/1.css'), true);
    assert.equal(outcomeOf(await willis.get('/1.js', { Host: 'other.test' })), 'hit');
    assert.equal(await isHit('/1.js'), false);
    assert.equal(await isHit('/2.js'), false);
  });

  it('a safe request invalidates no cache group (RFC 9875 §3)', async () => {
    willis.serve(serving(200, {}, { 'Cache-Groups': '"g"', 'Cache-Group-Invalidation': '"g"' }));
    await willis.get('/a');
    await willis.get('/b');
    assert.equal(await isHit('/a'), true);
  });

  it('a GET that was under way while POST completed is not stored as fresh (RFC 9111 §4.4)', async () => {
    const held = gate();
    willis.serve((request, response, index) =>
      request.method === 'GET'
        ? after(index === 0 ? held : { promise: Promise.resolve() }, answer(200, fresh, `version ${index}`))(
            request,
            response,
            index,
          )
        : answer(204)(request, response, index),
    );
    const early = await willis.begin('GET', '/a');
    await willis.origin.received(1);
    await willis.ask('POST', '/a', {}, 'change');
    held.open();
    assert.equal((await early.receive()).body.toString(), 'version 0');
    assert.equal((await willis.get('/a')).body.toString(), 'version 2');
  });

  for (const what of ['its target', 'a cache group']) {
    it(`a request that comes after POST has invalidated ${what} does not join a GET from before (RFC 9111 §4.4)`, async () => {
      const held = gate();
      const done = what === 'its target' ? {} : { 'Cache-Group-Invalidation': '"g"' };
      willis.serve((request, response, index) => {
        if (request.method !== 'GET') return answer(204, done)(request, response, index);
        const fields = { ...fresh, 'Cache-Groups': '"g"' };
        if (index > 0) return answer(200, fields, 'new')(request, response, index);
        return answerInPieces(200, fields, 'ol', held, 'd')(request, response, index);
      });
      const early = await willis.begin('GET', '/a');
      await early.receiveHead();
      await willis.ask('POST', what === 'its target' ? '/a' : '/deploy', {}, 'change');
      assert.equal((await willis.get('/a')).body.toString(), 'new');
      held.open();
      await willis.origin.requests[0]?.ended;
      assert.equal((await willis.get('/a')).body.toString(), 'new');
    });
  }

  it('the answer to POST that another change has overtaken is not stored (RFC 9111 §4.4)', async () => {
    const held = gate();
    willis.serve((request, response, index) => {
      if (request.method === 'GET') return answer(200, fresh, 'now')(request, response, index);
      if (request.method === 'PUT') return answer(204)(request, response, index);
      return after(held, answer(200, { ...fresh, 'Content-Location': '/a' }, 'then'))(request, response, index);
    });
    const post = await willis.begin('POST', '/a', {}, 'one');
    await willis.origin.received(1);
    await willis.ask('PUT', '/a', {}, 'two');
    held.open();
    assert.equal((await post.receive()).body.toString(), 'then');
    assert.equal((await willis.get('/a')).body.toString(), 'now');
  });
});
