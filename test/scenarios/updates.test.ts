import assert from 'node:assert/strict';
import { gate } from '../support/gate.js';
import { answer, type ScriptedFields } from '../support/origin-scripts.js';
import { cacheStatusOf, outcomeOf, startWillis, turns, type Willis } from '../support/willis.js';

const seconds = 1000;

/** What a 304, a HEAD or a 206 may change of what is stored, and what it may not. */
describe('updates of stored responses', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  const storeStale = async (fields: ScriptedFields = {}): Promise<void> => {
    willis.serve(answer(200, { 'Cache-Control': 'max-age=10', ETag: '"1"', ...fields }, 'stored'));
    await willis.get('/a');
    willis.clock.advance(20 * seconds);
  };

  const withdrawals: [what: string, fields: ScriptedFields, section: string][] = [
    ['private', { 'Cache-Control': 'private, max-age=60' }, '§5.2.2.7'],
    ['no-store', { 'Cache-Control': 'no-store, max-age=60' }, '§5.2.2.5'],
    ['Vary: *', { 'Cache-Control': 'max-age=60', Vary: '*' }, '§4.1'],
  ];
  for (const [what, fields, section] of withdrawals) {
    it(`a 304 with ${what} answers the one who asked, and nobody else from then on (RFC 9111 ${section})`, async () => {
      await storeStale();
      willis.serve(answer(304, { ETag: '"1"', ...fields }));
      const asked = await willis.get('/a');
      assert.equal(asked.status, 200);
      assert.equal(asked.body.toString(), 'stored');
      assert.equal(asked.get('cache-control'), fields['Cache-Control']);
      assert.equal(cacheStatusOf(asked)['stored'], undefined);
      willis.serve(answer(200, {}, 'own'));
      const other = await willis.get('/a');
      assert.equal(outcomeOf(other), 'uri-miss');
      assert.equal(other.body.toString(), 'own');
    });

    it(`a HEAD answer with ${what} has the stored response forgotten (RFC 9111 ${section}, §4.3.5)`, async () => {
      await storeStale();
      willis.serve(answer(200, { ETag: '"1"', ...fields, 'Content-Length': '6' }));
      await willis.ask('HEAD', '/a', { 'If-None-Match': '"2"' });
      willis.serve(answer(200, {}, 'own'));
      assert.equal(outcomeOf(await willis.get('/a')), 'uri-miss');
    });
  }

  const personal: [what: string, request: Record<string, string>, section: string][] = [
    ['Authorization', { Authorization: 'Basic eDp5' }, '§3.5'],
    ['no-store', { 'Cache-Control': 'no-store' }, '§5.2.1.5'],
  ];
  for (const [what, request, section] of personal) {
    it(`a 304 to a request with ${what} answers it and is not stored (RFC 9111 ${section})`, async () => {
      await storeStale();
      willis.serve(answer(304, { ETag: '"1"', 'Cache-Control': 'max-age=60', 'X-User': 'one' }));
      const asked = await willis.get('/a', request);
      assert.equal(asked.body.toString(), 'stored');
      assert.equal(asked.get('x-user'), 'one');
      willis.serve(answer(304, { ETag: '"1"', 'Cache-Control': 'max-age=60' }));
      const other = await willis.get('/a');
      assert.equal(outcomeOf(other), 'stale');
      assert.equal(other.get('x-user'), undefined);
    });
  }

  it('what a 304 takes back it takes back from all, whoever asked (RFC 9111 §5.2.2.7)', async () => {
    await storeStale();
    willis.serve(answer(304, { ETag: '"1"', 'Cache-Control': 'private' }));
    await willis.get('/a', { 'Cache-Control': 'no-store' });
    willis.serve(answer(200, {}, 'own'));
    assert.equal(outcomeOf(await willis.get('/a', { 'Cache-Control': 'max-stale' })), 'uri-miss');
  });

  it('a 304 to a request with Authorization is stored if it says public (RFC 9111 §3.5)', async () => {
    await storeStale();
    willis.serve(answer(304, { ETag: '"1"', 'Cache-Control': 'max-age=60, public' }));
    await willis.get('/a', { Authorization: 'Basic eDp5' });
    assert.equal(outcomeOf(await willis.get('/a')), 'hit');
  });

  it('a cookie of a 304 without explicit freshness is for the one who asked (RFC 9111 §7.3)', async () => {
    await storeStale({ 'Cache-Control': 'no-cache' });
    willis.serve(answer(304, { ETag: '"1"', 'Set-Cookie': 'id=1' }));
    assert.equal((await willis.get('/a')).get('set-cookie'), 'id=1');
    willis.serve(answer(304, { ETag: '"1"' }));
    assert.equal((await willis.get('/a')).get('set-cookie'), undefined);
  });

  for (const directive of ['private', 'no-cache']) {
    it(`a field that a qualified ${directive} names reaches the one who validates, and nobody after (RFC 9111 §5.2.2)`, async () => {
      const control = `max-age=10, ${directive}="X-Own"`;
      await storeStale({ 'Cache-Control': control, 'X-Own': 'first' });
      willis.serve(answer(304, { ETag: '"1"', 'Cache-Control': control, 'X-Own': 'second' }));
      assert.equal((await willis.get('/a')).get('x-own'), 'second');
      const hit = await willis.get('/a');
      assert.equal(outcomeOf(hit), 'hit');
      assert.equal(hit.get('x-own'), undefined);
    });
  }

  it('a 304 for another variant freshens that one and not the one it was asked for (RFC 9111 §4.3.4)', async () => {
    const control = { 'Cache-Control': 'max-age=10', Vary: 'X-Kind' };
    for (const kind of ['one', 'two']) {
      willis.serve(answer(200, { ...control, ETag: `"${kind}"` }, kind));
      await willis.get('/a', { 'X-Kind': kind });
    }
    willis.clock.advance(20 * seconds);
    willis.serve(answer(304, { Vary: 'X-Kind', ETag: '"two"', 'Cache-Control': 'max-age=60' }));
    assert.equal((await willis.get('/a', { 'X-Kind': 'one' })).body.toString(), 'two');
    assert.equal(outcomeOf(await willis.get('/a', { 'X-Kind': 'two' })), 'hit');
    assert.equal(outcomeOf(await willis.get('/a', { 'X-Kind': 'one' })), 'stale');
  });

  it('Age and Date after a validation are those of the 304 (RFC 9111 §3.2, §4.2.3)', async () => {
    await storeStale({ Age: '5' });
    willis.serve(answer(304, { ETag: '"1"', 'Cache-Control': 'max-age=60', Age: '7' }));
    const date = willis.clock.httpDate();
    assert.equal((await willis.get('/a')).get('age'), '7');
    willis.clock.advance(3 * seconds);
    const hit = await willis.get('/a');
    assert.deepEqual([hit.get('age'), hit.get('date')], ['10', date]);
  });

  it('entity-tags are case-sensitive, and a weak one validates the whole (RFC 9110 §8.8.3)', async () => {
    await storeStale({ ETag: 'W/"Tag"' });
    assert.equal((await willis.get('/a', { 'If-None-Match': '"tag"', 'Cache-Control': 'max-stale' })).status, 200);
    assert.equal((await willis.get('/a', { 'If-None-Match': '"Tag"', 'Cache-Control': 'max-stale' })).status, 304);
    willis.serve(answer(304, { ETag: 'W/"Tag"', 'Cache-Control': 'max-age=60' }));
    assert.equal((await willis.get('/a')).body.toString(), 'stored');
    assert.equal(willis.origin.last.headers['if-none-match'], 'W/"Tag"');
    assert.equal(outcomeOf(await willis.get('/a')), 'hit');
  });

  it('what the stored part said holds where the completing part says nothing (RFC 9111 §3.4)', async () => {
    const modified = willis.clock.httpDate(-1000);
    const part = { 'Cache-Control': 'max-age=10, must-revalidate', 'Last-Modified': modified, ETag: '"1"' };
    willis.serve(answer(206, { ...part, 'Content-Range': 'bytes 0-3/6' }, 'stor'));
    await willis.get('/a', { Range: 'bytes=0-3' });
    willis.serve(answer(206, { ETag: '"1"', 'Content-Range': 'bytes 4-5/6' }, 'ed'));
    assert.equal((await willis.get('/a')).body.toString(), 'stored');
    willis.clock.advance(20 * seconds);
    const stale = await willis.get('/a', { 'Cache-Control': 'only-if-cached, max-stale' });
    assert.equal(stale.status, 504);
  });

  it('an answer completed by a part that nobody may store says so (RFC 9111 §3.4)', async () => {
    const control = { 'Cache-Control': 'max-age=600', ETag: '"1"' };
    willis.serve(answer(206, { ...control, 'Content-Range': 'bytes 0-3/6' }, 'stor'));
    await willis.get('/a', { Range: 'bytes=0-3' });
    willis.clock.advance(20 * seconds);
    willis.serve(answer(206, { ETag: '"1"', 'Cache-Control': 'no-store', 'Content-Range': 'bytes 4-5/6' }, 'ed'));
    const joined = await willis.get('/a');
    assert.equal(joined.body.toString(), 'stored');
    assert.deepEqual([joined.get('cache-control'), joined.get('age')], ['no-store', '0']);
  });

  it('a part that an unsafe request has invalidated is validated before its bytes are used (RFC 9111 §4.4)', async () => {
    const control = { 'Cache-Control': 'max-age=600', ETag: '"1"' };
    willis.serve(answer(206, { ...control, 'Content-Range': 'bytes 0-3/6' }, 'stor'));
    await willis.get('/a', { Range: 'bytes=0-3' });
    willis.serve(answer(204));
    await willis.ask('DELETE', '/a');
    willis.serve(answer(206, { ...control, ETag: '"2"', 'Content-Range': 'bytes 1-2/6' }, 'EW'));
    const part = await willis.get('/a', { Range: 'bytes=1-2' });
    assert.equal(willis.origin.last.headers['if-none-match'], '"1"');
    assert.equal(part.body.toString(), 'EW');
    willis.serve(answer(200, { ...control, ETag: '"2"' }, 'NEWEST'));
    assert.equal((await willis.get('/a')).body.toString(), 'NEWEST');
  });

  it('a range of another variant is never cut from this one (RFC 9111 §4.1, RFC 9110 §13.1.5)', async () => {
    const control = { 'Cache-Control': 'max-age=600', Vary: 'X-Kind' };
    willis.serve(answer(200, { ...control, ETag: '"one"' }, 'one'));
    await willis.get('/a', { 'X-Kind': 'one' });
    const request = { 'X-Kind': 'two', Range: 'bytes=1-2', 'If-Range': '"two"' };
    willis.serve(answer(206, { ...control, ETag: '"two"', 'Content-Range': 'bytes 1-2/3' }, 'wo'));
    const part = await willis.get('/a', request);
    assert.deepEqual([part.status, part.body.toString()], [206, 'wo']);
    const { headers } = willis.origin.last;
    assert.deepEqual([headers.range, headers['if-range'], headers['if-none-match']], ['bytes=1-2', '"two"', '"one"']);
    assert.equal(outcomeOf(await willis.get('/a', request)), 'hit');
    const own = await willis.get('/a', { ...request, 'X-Kind': 'one' });
    assert.deepEqual([own.status, own.body.toString()], [200, 'one']);
  });

  it('what a cookie or a directive of the 304 changes for one goes to no other who waited (RFC 9111 §4.3.4)', async () => {
    await storeStale();
    const held = gate();
    let personal = 0;
    willis.serve(async (request, response, index) => {
      await held.promise;
      if (request.headers['if-none-match'] === undefined) await answer(200, {}, 'own')(request, response, index);
      else
        await answer(304, { ETag: '"1"', 'Cache-Control': 'private', 'X-User': `${++personal}` })(
          request,
          response,
          index,
        );
    });
    const clients = [await willis.begin('GET', '/a'), await willis.begin('GET', '/a'), await willis.begin('GET', '/a')];
    await turns(100);
    held.open();
    const users = new Set<string | undefined>();
    for (const client of clients) {
      const response = await client.receive();
      const user = response.get('x-user');
      assert.equal(response.body.toString(), user === undefined ? 'own' : 'stored');
      if (user !== undefined) assert.equal(users.has(user), false);
      users.add(user);
    }
  });
});
