import assert from 'node:assert/strict';
import { gate } from '../support/gate.js';
import {
  after,
  answer,
  answerInPieces,
  silence,
  type BodyStep,
  type ScriptedFields,
} from '../support/origin-scripts.js';
import type { RawClient } from '../support/raw-client.js';
import type { OriginHandler } from '../support/scripted-origin.js';
import { cacheStatusOf, outcomeOf, startWillis, turns, type Willis } from '../support/willis.js';

const fresh = { 'Cache-Control': 'max-age=600' };

describe('collapsing', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
  });
  afterEach(() => willis.stop());

  const beginMany = (count: number, fields: Record<string, string> = {}): Promise<RawClient[]> =>
    Promise.all(Array.from({ length: count }, () => willis.begin('GET', '/a', fields)));

  /** A first request that the origin server has received, and others that have had the time to join it. */
  const leaderAnd = async (followers: number): Promise<[RawClient, ...RawClient[]]> => {
    const leader = await willis.begin('GET', '/a');
    await willis.origin.received(1);
    const others = await beginMany(followers);
    await turns(300);
    return [leader, ...others];
  };

  /** The first request gets the first answer, all others the second. */
  const first = (one: OriginHandler, others: OriginHandler): void =>
    willis.serve((request, response, index) => (index === 0 ? one : others)(request, response, index));

  const pieces = (fields: ScriptedFields, ...steps: BodyStep[]): void =>
    willis.serve(answerInPieces(200, fields, ...steps));

  it('of 50 requests for the same one is forwarded, and all get the whole answer (RFC 9111 §4)', async () => {
    const held = gate();
    const body = Buffer.alloc(300_000, 'willis ');
    willis.serve(after(held, answer(200, fresh, body)));
    const clients = await leaderAnd(49);
    held.open();
    const answers = await Promise.all(clients.map((client) => client.receive()));
    for (const response of answers) assert.ok(response.body.equals(body), 'other bytes');
    assert.equal(willis.origin.count(), 1);
    const collapsed = answers.filter((response) => cacheStatusOf(response)['collapsed'] === true);
    const hits = answers.filter((response) => outcomeOf(response) === 'hit');
    assert.equal(collapsed.length + hits.length, 49);
    const said = cacheStatusOf(collapsed[0] ?? assert.fail());
    assert.deepEqual([said['fwd'], said['fwd-status'], said['stored']], ['uri-miss', '200', true]);
  });

  it('a follower gets the first bytes before the origin server has sent the last ones', async () => {
    const [head, rest] = [gate(), gate()];
    pieces({ ...fresh, 'Content-Length': '9' }, head, 'first', rest, 'last');
    const [leader, follower] = await leaderAnd(1);
    head.open();
    for (const client of [leader, follower as RawClient]) {
      assert.equal((await client.receiveHead()).contentLength, 9);
      assert.equal((await client.take(5)).toString(), 'first');
    }
    rest.open();
    for (const client of [leader, follower as RawClient]) assert.equal((await client.take(4)).toString(), 'last');
    assert.equal(willis.origin.count(), 1);
  });

  it('a follower may join in the middle of the body, and gets the whole', async () => {
    const rest = gate();
    pieces({ ...fresh, 'Content-Length': '9' }, 'first', rest, 'last');
    const leader = await willis.begin('GET', '/a');
    await leader.receiveHead();
    await leader.take(5);
    const follower = await willis.begin('GET', '/a');
    const head = await follower.receiveHead();
    assert.equal(cacheStatusOf(head)['collapsed'], true);
    assert.equal((await follower.take(5)).toString(), 'first');
    rest.open();
    assert.equal((await follower.take(4)).toString(), 'last');
    assert.equal((await leader.take(4)).toString(), 'last');
    assert.equal(willis.origin.count(), 1);
  });

  it('the first client may go before the head has come without harm to the others', async () => {
    const held = gate();
    willis.serve(after(held, answer(200, fresh, 'for all')));
    const [leader, ...followers] = await leaderAnd(2);
    leader.reset();
    await turns(300);
    held.open();
    for (const client of followers) assert.equal((await client.receive()).body.toString(), 'for all');
    assert.equal(willis.origin.count(), 1);
  });

  it('the first client may go in the middle of the body without harm to the others', async () => {
    const rest = gate();
    pieces(fresh, 'first', rest, 'last');
    const [leader, follower] = await leaderAnd(1);
    await leader.receiveHead();
    leader.reset();
    await turns(300);
    rest.open();
    assert.equal((await (follower as RawClient).receive()).body.toString(), 'firstlast');
    assert.equal(willis.origin.count(), 1);
  });

  it('a follower may go without harm to the first client', async () => {
    const rest = gate();
    pieces(fresh, 'first', rest, 'last');
    const [leader, follower] = await leaderAnd(1);
    follower?.reset();
    await turns(300);
    rest.open();
    assert.equal((await leader.receive()).body.toString(), 'firstlast');
  });

  it('when the last client goes before the head, the request to the origin server is given up', async () => {
    willis.serve(silence);
    for (const client of await leaderAnd(1)) client.reset();
    assert.equal(await willis.origin.last.ended, 'aborted');
  });

  it('when the last client goes in the middle of a body whose end is far, the transfer is given up', async () => {
    const never = gate();
    pieces({ ...fresh, 'Content-Length': '50000000' }, 'first', never);
    const clients = await leaderAnd(1);
    for (const client of clients) await client.receiveHead();
    for (const client of clients) client.reset();
    assert.equal(await willis.origin.last.ended, 'aborted');
    never.open();
  });

  it('when the last client goes and little is missing, the transfer is completed and stored', async () => {
    const rest = gate();
    pieces({ ...fresh, 'Content-Length': '9' }, 'first', rest, 'last');
    const [leader] = await leaderAnd(0);
    await leader.receiveHead();
    leader.reset();
    await turns(300);
    rest.open();
    assert.equal(await willis.origin.last.ended, 'finished');
    const next = await willis.get('/a');
    assert.equal(next.body.toString(), 'firstlast');
    assert.equal(willis.origin.count(), 1);
  });

  for (const control of ['private', 'no-store', 'max-age=0']) {
    it(`an answer with ${control} is not shared: all who waited are forwarded at once, and none waits next time`, async () => {
      const [held, all] = [gate(), gate()];
      let round = 8;
      const own: OriginHandler = async (request, response, index) => {
        if (willis.origin.count() >= round) all.open();
        await after(all, answer(200, { 'Cache-Control': control }, `for ${String(request.headers['x-client'])}`))(
          request,
          response,
          index,
        );
      };
      first(answerInPieces(200, { 'Cache-Control': control }, held, 'for 0', all), own);
      const leader = await willis.begin('GET', '/a', { 'X-Client': '0' });
      await willis.origin.received(1);
      const followers = await Promise.all(
        [1, 2, 3, 4, 5, 6, 7].map((i) => willis.begin('GET', '/a', { 'X-Client': String(i) })),
      );
      await turns(300);
      // while the body of the first answer is still on its way, and each of the others is held until all have come
      held.open();
      const bodies = await Promise.all(
        [leader, ...followers].map(async (client) => (await client.receive()).body.toString()),
      );
      assert.deepEqual(
        bodies,
        Array.from({ length: 8 }, (_, i) => `for ${i}`),
      );
      round = 12;
      const again = gate();
      willis.serve(async (request, response, index) => {
        if (willis.origin.count() >= round) again.open();
        await after(again, answer(200, { 'Cache-Control': control }, 'again'))(request, response, index);
      });
      for (const client of await beginMany(4)) assert.equal((await client.receive()).body.toString(), 'again');
    });
  }

  it('a request waits for another one no longer than it is configured to', async () => {
    await willis.stop();
    willis = await startWillis({ config: { cache: { collapseWait: '20ms' } } });
    first(silence, answer(200, fresh, 'own'));
    const [, follower] = await leaderAnd(1);
    const response = await (follower as RawClient).receive();
    assert.equal(response.body.toString(), 'own');
    assert.equal(cacheStatusOf(response)['collapsed'], undefined);
  });

  it("requests that select different variants do not get each other's answers (RFC 9111 §4.1)", async () => {
    const held = gate();
    willis.serve((request, response, index) =>
      after(held, answer(200, { ...fresh, Vary: 'X-Kind' }, `kind ${String(request.headers['x-kind'])}`))(
        request,
        response,
        index,
      ),
    );
    const ones = await beginMany(3, { 'X-Kind': 'one' });
    const twos = await beginMany(3, { 'X-Kind': 'two' });
    await willis.origin.received(1);
    await turns(300);
    held.open();
    for (const client of ones) assert.equal((await client.receive()).body.toString(), 'kind one');
    for (const client of twos) assert.equal((await client.receive()).body.toString(), 'kind two');
  });

  it('a failure of the origin server reaches all who wait (RFC 9110 §15.6.3)', async () => {
    const held = gate();
    willis.serve(async (_request, response) => {
      await held.promise;
      response.destroy();
    });
    const clients = await leaderAnd(5);
    held.open();
    for (const client of clients) {
      const response = await client.receive();
      assert.equal(response.status, 502);
      assert.match(response.get('cache-status') ?? '', /upstream-/);
    }
    assert.equal(willis.origin.count(), 1);
  });

  it('a body that breaks off breaks for all who get it (RFC 9112 §8)', async () => {
    const cut = gate();
    willis.serve(async (_request, response) => {
      response.writeHead(200, { ...fresh, 'Content-Length': '100' });
      response.write('only this');
      await cut.promise;
      response.destroy();
    });
    const clients = await leaderAnd(3);
    for (const client of clients) await client.receiveHead();
    cut.open();
    for (const client of clients) assert.equal((await client.rest()).toString(), 'only this');
  });

  for (const fields of [
    { Authorization: 'Basic eDp5' },
    { Range: 'bytes=0-0' },
    { 'Cache-Control': 'no-cache' },
    { 'If-None-Match': '"1"' },
  ]) {
    it(`a request with ${Object.keys(fields).join()} does not wait for another one`, async () => {
      const held = gate();
      first(after(held, answer(200, fresh, 'held')), answer(200, { 'Cache-Control': 'private' }, 'own'));
      const [leader] = await leaderAnd(0);
      assert.equal((await willis.get('/a', fields)).body.toString(), 'own');
      held.open();
      assert.equal((await leader.receive()).body.toString(), 'held');
    });
  }

  it('requests for a stale response wait for one validation (RFC 9111 §4.3)', async () => {
    const held = gate();
    willis.serve(answer(200, { ...fresh, ETag: '"1"' }, 'stored'));
    await willis.get('/a');
    willis.clock.advance(1_000_000);
    willis.serve(after(held, answer(304, { ...fresh, ETag: '"1"' })));
    const leader = await willis.begin('GET', '/a');
    await willis.origin.received(2);
    const followers = await beginMany(9);
    await turns(300);
    held.open();
    for (const client of [leader, ...followers]) {
      const response = await client.receive();
      assert.equal(response.body.toString(), 'stored');
      assert.equal(outcomeOf(response), 'stale');
    }
    assert.equal(willis.origin.count(), 2);
  });
});
