import assert from 'node:assert/strict';
import { FakeClock } from './fake-clock.js';
import { gate } from './gate.js';
import {
  after as afterGate,
  answer,
  answerBrokenOff,
  answerInPieces,
  byPath,
  inTurn,
  silence,
} from './origin-scripts.js';
import { RawClient } from './raw-client.js';
import { startOrigin, type OriginHandler, type OriginOptions, type ScriptedOrigin } from './scripted-origin.js';

describe('the scripted origin', () => {
  let origin: ScriptedOrigin;
  let client: RawClient;

  async function start(handler: OriginHandler, options: OriginOptions = {}): Promise<void> {
    origin = await startOrigin(handler, options);
    client = await RawClient.connect(origin.port);
  }

  afterEach(async () => {
    client.close();
    await origin.close();
    await origin.close();
  });

  it('records requests with their content before it answers', async () => {
    await start(answer(201, { 'X-Two': ['a', 'b'] }, 'made'));
    client.request('PUT', '/x?y', { Host: 'h', 'Content-Length': '5', 'X-Odd-CASE': '1' }, 'hello');
    const response = await client.receive();
    assert.equal(response.status, 201);
    assert.deepEqual(response.all('x-two'), ['a', 'b']);
    assert.equal(response.body.toString(), 'made');
    assert.equal(origin.last.method, 'PUT');
    assert.equal(origin.last.url, '/x?y');
    assert.equal(origin.last.body.toString(), 'hello');
    assert.equal(origin.last.rawHeaders.includes('X-Odd-CASE'), true);
    assert.equal(await origin.last.ended, 'finished');
    assert.equal(origin.connections, 1);
  });

  it('answers in turn, by path, and counts', async () => {
    await start(byPath({ '/a': inTurn(answer(200, {}, 'one'), answer(200, {}, 'two')) }));
    const bodies: string[] = [];
    for (const path of ['/a', '/a', '/a', '/b']) {
      client.request('GET', path, { Host: 'h' });
      const { status, body } = await client.receive();
      bodies.push(status === 200 ? body.toString() : String(status));
    }
    assert.deepEqual(bodies, ['one', 'two', 'two', '404']);
    assert.equal(origin.count('/a'), 3);
    assert.equal(origin.count(), 4);
  });

  it('takes Date from a fake clock, or leaves it out', async () => {
    const clock = new FakeClock('2026-02-03T04:05:06Z');
    await start(inTurn(answer(200), answer(200, { Date: null })), { clock });
    client.request('GET', '/', { Host: 'h' });
    assert.equal((await client.receive()).get('date'), 'Tue, 03 Feb 2026 04:05:06 GMT');
    client.request('GET', '/', { Host: 'h' });
    assert.equal((await client.receive()).get('date'), undefined);
  });

  it('sends a body piece by piece, held by gates', async () => {
    const held = gate();
    await start(answerInPieces(200, {}, 'first', held, 'second'));
    client.request('GET', '/', { Host: 'h' });
    await client.receiveHead();
    assert.equal((await client.take(10)).toString(), '5\r\nfirst\r\n');
    assert.equal(client.leftover.length, 0);
    held.open();
    assert.equal((await client.take(16)).toString(), '6\r\nsecond\r\n0\r\n\r\n');
  });

  it('holds an answer back until a gate opens', async () => {
    const held = gate();
    await start(afterGate(held, answer(204)));
    client.request('GET', '/', { Host: 'h' });
    await origin.received(1);
    assert.equal(client.leftover.length, 0);
    held.open();
    assert.equal((await client.receive()).status, 204);
  });

  it('breaks an answer off', async () => {
    await start(answerBrokenOff(200, { 'Content-Length': '100' }, 'part'));
    client.request('GET', '/', { Host: 'h' });
    await assert.rejects(client.receive(), /the connection ended where 100 bytes/);
    assert.equal(client.leftover.toString(), 'part');
  });

  it('notices a client that goes away', async () => {
    await start(silence);
    client.request('GET', '/', { Host: 'h' });
    await origin.received(1);
    client.close();
    assert.equal(await origin.last.ended, 'aborted');
  });

  it('answers 500 when the handler of the test throws', async () => {
    await start(() => {
      throw new Error('in the test');
    });
    client.request('GET', '/', { Host: 'h' });
    const response = await client.receive();
    assert.equal(response.status, 500);
    assert.match(response.body.toString(), /in the test/);
  });
});
