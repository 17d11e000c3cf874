import assert from 'node:assert/strict';
import { BufferedBody } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Response } from '../../proxy/http/message.js';
import { frameResponse } from '../../proxy/http/response-framing.js';
import { FakeClock } from '../support/fake-clock.js';
import { gate } from '../support/gate.js';
import { RawClient, type RawResponse } from '../support/raw-client.js';
import { settled } from '../support/waiting.js';
import { bodyFrom, closeServers, startServer, text, type TestServer } from './test-server.js';

const clock = new FakeClock();
const DATE = 'Thu, 01 Jan 2026 00:00:00 GMT';

function head(response: Partial<Response>, method = 'GET', version: '1.0' | '1.1' = '1.1', close = false): string {
  const whole = { status: 200, reason: 'OK', fields: Fields.of({ Date: DATE }), body: null, ...response };
  return frameResponse(whole, { method, version, close, clock }).head;
}

async function answerTo(request: string, response: () => Response): Promise<{ answer: RawResponse; on: TestServer }> {
  const on = await startServer(response);
  const client = await RawClient.connect(on.port);
  client.send(request);
  return { answer: await client.receive(request.split(' ')[0]), on };
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const GET_1_0 = 'GET / HTTP/1.0\r\n\r\n';

describe('framing a response', () => {
  it('a body of known length is announced by Content-Length (RFC 9110 §8.6)', () => {
    const response = { body: BufferedBody.from('abc') };
    assert.equal(head(response), `HTTP/1.1 200 OK\r\nDate: ${DATE}\r\nContent-Length: 3\r\n\r\n`);
  });

  it('no body is announced by Content-Length 0', () => {
    assert.match(head({}), /\r\nContent-Length: 0\r\n/);
  });

  it('a 204 has no Content-Length, a 304 only that of its representation (RFC 9110 §8.6)', () => {
    assert.doesNotMatch(head({ status: 204 }), /content-length/i);
    assert.doesNotMatch(head({ status: 204, fields: Fields.of({ 'Content-Length': '0' }) }), /content-length/i);
    assert.doesNotMatch(head({ status: 304 }), /content-length/i);
    assert.match(head({ status: 304, fields: Fields.of({ 'Content-Length': '7' }) }), /Content-Length: 7\r\n/);
  });

  it('an answer to HEAD keeps the Content-Length it has (RFC 9110 §9.3.2)', () => {
    assert.match(head({ fields: Fields.of({ 'Content-Length': '7' }) }, 'HEAD'), /Content-Length: 7\r\n/);
    assert.doesNotMatch(head({}, 'HEAD'), /content-length|transfer-encoding/i);
  });

  it('a body of unknown length is chunked, and ended by the connection for HTTP/1.0 (RFC 9112 §6.3, §7)', () => {
    const body = bodyFrom(() => null);
    assert.match(head({ body }), /\r\nTransfer-Encoding: chunked\r\n/);
    assert.doesNotMatch(head({ body }, 'GET', '1.0'), /transfer-encoding/i);
    assert.match(head({ body }, 'GET', '1.0'), /\r\nConnection: close\r\n/);
  });

  it('Connection: close is sent when the connection ends (RFC 9112 §9.6)', () => {
    assert.match(head({}, 'GET', '1.1', true), /\r\nConnection: close\r\n/);
    assert.doesNotMatch(head({}), /connection/i);
  });

  it('Date is added if it is missing (RFC 9110 §6.6.1)', () => {
    assert.match(head({ fields: Fields.none }), new RegExp(`\r\nDate: ${DATE}\r\n`));
  });

  const unsendable: Record<string, Partial<Response>> = {
    'a line end in a value': { fields: new Fields(['A', 'b\r\nC: d']) },
    'a bare LF in a value': { fields: new Fields(['A', 'b\nC: d']) },
    'a bare CR in a value': { fields: new Fields(['A', 'b\rC: d']) },
    'a NUL in a value': { fields: new Fields(['A', 'b\0']) },
    'a character beyond Latin-1': { fields: new Fields(['A', '\u010a']) },
    'a line end in a name': { fields: new Fields(['A\r\nB', 'c']) },
    'a line end in the reason': { reason: 'OK\r\nA: b' },
    'Transfer-Encoding among its fields': { fields: Fields.of({ 'transfer-encoding': 'chunked' }) },
    'Connection among its fields': { fields: Fields.of({ Connection: 'keep-alive' }) },
    'two Content-Lengths': { fields: Fields.of({ 'Content-Length': ['0', '0'] }) },
    'a Content-Length that is none': { fields: Fields.of({ 'Content-Length': '+0' }) },
    'a Content-Length that is not its length': {
      fields: Fields.of({ 'Content-Length': '4' }),
      body: BufferedBody.from('abc'),
    },
    'a Content-Length without content': { fields: Fields.of({ 'Content-Length': '4' }) },
    'an informational status': { status: 103 },
    'a status that is none': { status: 20 },
  };
  for (const [why, response] of Object.entries(unsendable)) {
    it(`is not sent: ${why}`, () => {
      assert.throws(() => head(response), { code: 'internal' });
    });
  }
});

describe('sending a response', () => {
  afterEach(closeServers);

  it('a response that cannot be sent is answered with 500, and its body cancelled', async () => {
    let cancelled = false;
    const body = bodyFrom(
      () => null,
      3,
      () => (cancelled = true),
    );
    const fields = Fields.of({ A: 'b\r\nSet-Cookie: c' });
    const { answer, on } = await answerTo(GET, () => ({ status: 200, reason: '', fields, body }));
    assert.equal(answer.status, 500);
    assert.equal(answer.get('set-cookie'), undefined);
    assert.equal(on.refused[0]?.code, 'internal');
    assert.equal(cancelled, true);
  });

  for (const size of [0, 1, 4096, 4097, 65_536, 131_072, 131_073, 3_000_000]) {
    it(`a stored body of ${size} bytes arrives whole, in chunks as it is stored`, async () => {
      const content = Buffer.alloc(size, 'abcdefg');
      const half = Math.floor(size / 2);
      const { answer } = await answerTo(GET, () => {
        const body = new BufferedBody([content.subarray(0, half), content.subarray(half)]);
        return { status: 200, reason: '', fields: Fields.none, body };
      });
      assert.equal(answer.framing, 'length');
      assert.ok(answer.body.equals(content), 'other bytes');
    });
  }

  it('a body of unknown length arrives in chunks, with its trailers (RFC 9112 §7.1)', async () => {
    const chunks = [Buffer.from('abc'), Buffer.alloc(300_000, 'd'), Buffer.from('\xe4', 'latin1')];
    const expected = Buffer.concat(chunks);
    let turn = 0;
    const next = (): Buffer | null | Promise<Buffer | null> =>
      turn++ % 2 === 0 ? Promise.resolve(chunks.shift() ?? null) : (chunks.shift() ?? null);
    const body = { ...bodyFrom(next), trailers: Fields.of({ 'X-Sum': '1', 'Content-Length': '2' }) };
    const { answer } = await answerTo(GET, () => ({ status: 200, reason: '', fields: Fields.none, body }));
    assert.equal(answer.framing, 'chunked');
    assert.ok(answer.body.equals(expected), 'other bytes');
    assert.deepEqual(answer.trailers, [['X-Sum', '1']]);
  });

  it('an HTTP/1.0 client gets no chunks, and the connection ends (RFC 9112 §6.1)', async () => {
    const chunks = [Buffer.from('abc'), Buffer.from('def')];
    const body = bodyFrom(() => chunks.shift() ?? null);
    const { answer } = await answerTo(GET_1_0, () => ({ status: 200, reason: '', fields: Fields.none, body }));
    assert.equal(answer.framing, 'close');
    assert.equal(answer.body.toString(), 'abcdef');
  });

  it('a 205 has no content, whatever the handler was given (RFC 9110 §15.3.6)', () => {
    for (const fields of [Fields.none, Fields.of({ 'Content-Length': '5' })]) {
      const text = head({ status: 205, fields, body: BufferedBody.from('hello') });
      assert.match(text, /\r\nContent-Length: 0\r\n/);
      assert.doesNotMatch(text, /: 5|chunked/);
    }
  });

  it('HEAD, 204 and 304 are answered without content, and the connection stays usable (RFC 9112 §6.3)', async () => {
    const statuses: Record<string, number> = { '/204': 204, '/304': 304 };
    const on = await startServer((request) => text('abc', statuses[request.target.path] ?? 200));
    const client = await RawClient.connect(on.port);
    client.send(
      'HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    client.send(GET);
    assert.equal((await client.receive('HEAD')).status, 200);
    assert.equal((await client.receive()).status, 204);
    assert.equal((await client.receive()).status, 304);
    assert.equal((await client.receive()).body.toString(), 'abc');
  });

  it('a body that breaks never looks whole: with a length or in chunks the end is missing', async () => {
    for (const length of [10, null]) {
      let reads = 0;
      const body = bodyFrom(() => {
        if (reads++ === 0) return Buffer.from('abc');
        throw new Error('the origin broke');
      }, length);
      const on = await startServer(() => ({ status: 200, reason: '', fields: Fields.none, body }));
      const client = await RawClient.connect(on.port);
      client.send(GET);
      await assert.rejects(client.receive());
      await on.finishedCount(1);
      assert.equal(on.finished[0]?.outcome.aborted, 'node');
      assert.equal(on.finished[0].outcome.contentOut, 3);
    }
  });

  it('a body that breaks and would be ended by the connection ends in a reset', async () => {
    const broken = gate();
    let reads = 0;
    const body = bodyFrom(async () => {
      if (reads++ === 0) return Buffer.from('abc');
      await broken.promise;
      throw new Error('the origin broke');
    });
    const on = await startServer(() => ({ status: 200, reason: '', fields: Fields.none, body }));
    const client = await RawClient.connect(on.port);
    client.send(GET_1_0);
    await client.receiveHead();
    assert.equal((await client.take(3)).toString(), 'abc');
    broken.open();
    assert.equal(await client.closed, 'reset');
  });

  it('a body that is shorter than announced breaks the connection', async () => {
    const chunks = [Buffer.from('abc')];
    const on = await startServer(() => ({
      status: 200,
      reason: '',
      fields: Fields.none,
      body: bodyFrom(() => chunks.shift() ?? null, 4),
    }));
    const client = await RawClient.connect(on.port);
    client.send(GET);
    await assert.rejects(client.receive());
  });

  it('a body that is longer than announced is cut, and the connection ends', async () => {
    let cancelled = false;
    const chunks = [Buffer.from('abc'), Buffer.from('def')];
    const on = await startServer(() => ({
      status: 200,
      reason: '',
      fields: Fields.of({ 'Content-Length': '4' }),
      body: bodyFrom(
        () => chunks.shift() ?? null,
        null,
        () => (cancelled = true),
      ),
    }));
    const client = await RawClient.connect(on.port);
    client.send(GET + GET);
    assert.equal((await client.receive()).body.toString(), 'abcd');
    assert.equal((await client.rest()).length, 0);
    assert.equal(cancelled, true);
    assert.equal(on.finished.length, 1);
    assert.match(on.logged.join(), /longer than announced/);
  });

  it('a client that does not read holds the source of the body back', async () => {
    const chunk = Buffer.alloc(65_536, 'a');
    const total = 2000;
    let read = 0;
    const body = bodyFrom(() => (read++ < total ? chunk : null));
    const on = await startServer(() => ({ status: 200, reason: '', fields: Fields.none, body }));
    const client = await RawClient.connect(on.port);
    client.stopReading();
    client.send(GET);
    await settled(() => read);
    assert.ok(read < 400, `${read} of ${total} chunks were read for a client that reads nothing`);
    client.goOnReading();
    const answer = await client.receive();
    assert.equal(answer.body.length, total * chunk.length);
  });

  it('a client that goes away makes the body be cancelled', async () => {
    const cancelled = gate();
    const body = bodyFrom(
      () => new Promise<Buffer | null>(() => undefined),
      null,
      () => cancelled.open(),
    );
    const on = await startServer(() => ({ status: 200, reason: '', fields: Fields.none, body }));
    const client = await RawClient.connect(on.port);
    client.send(GET);
    await client.receiveHead();
    client.reset();
    await cancelled.promise;
    await on.finishedCount(1);
    assert.equal(on.finished[0]?.outcome.aborted, 'client');
  });

  it('1xx responses go out at once, to HTTP/1.1 clients only, and never 101 (RFC 9110 §15.2)', async () => {
    for (const [request, expected] of [
      [GET, [100, 103]],
      [GET_1_0, []],
    ] as const) {
      const answered = gate();
      const on = await startServer(async (received) => {
        received.inform(100, Fields.none);
        received.inform(101, Fields.none);
        received.inform(103, Fields.of({ Link: '</a>' }));
        received.inform(103, new Fields(['A', 'b\r\nC: d']));
        await answered.promise;
        return text('abc');
      });
      const client = await RawClient.connect(on.port);
      client.send(request);
      const first = expected.length > 0 ? [(await client.receiveHead()).status] : [];
      answered.open();
      const answer = await client.receive();
      assert.deepEqual([...first, ...answer.informational.map(({ status }) => status)], expected);
      on.finished[0]?.request?.inform(103, Fields.none);
      assert.equal(client.leftover.length, 0);
    }
  });
});
