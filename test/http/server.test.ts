import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { bytes, milliseconds } from '../../config/units.js';
import { systemClock } from '../../proxy/base/clock.js';
import { createLogger } from '../../proxy/base/logger.js';
import { answerAndEnd } from '../../proxy/http/answer-and-end.js';
import { readAll } from '../../proxy/http/body.js';
import { Connection } from '../../proxy/http/connection.js';
import { Fields } from '../../proxy/http/fields.js';
import { listenerCounters } from '../../proxy/http/listener-counters.js';
import type { Request, Response } from '../../proxy/http/message.js';
import type { ConnectRequest } from '../../proxy/http/request-handler.js';
import { HttpServer } from '../../proxy/http/server.js';
import { hrefOf } from '../../proxy/http/target-uri.js';
import { gate } from '../support/gate.js';
import { RawClient } from '../support/raw-client.js';
import { runCount } from '../support/run-count.js';
import { settled } from '../support/waiting.js';
import { hostileBodies, hostileHeads } from './hostile-requests.js';
import { bodyFrom, closeServers, startServer, testLimits, text, type TestServer } from './test-server.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LIMIT = bytes(10_000_000);

const path = (request: Request): Response => text(request.target.path);

/** Answers with the content of the request. */
async function echo(request: Request): Promise<Response> {
  if (request.body === null) return text('none');
  return text((await readAll(request.body, LIMIT)).toString('latin1'));
}

async function connect(on: TestServer, ...data: string[]): Promise<RawClient> {
  const client = await RawClient.connect(on.port);
  for (const piece of data) client.send(piece);
  return client;
}

describe('an HTTP server', () => {
  afterEach(closeServers);

  it('hands a request over with its target, its client and an id', async () => {
    const requests: Request[] = [];
    const on = await startServer((request) => {
      requests.push(request);
      return text('abc');
    });
    const client = await connect(on, 'GET http://b.example/c HTTP/1.1\r\nHost: a\r\n\r\n', GET);
    await client.receive();
    await client.receive();
    const [first, second] = requests;
    assert.ok(first && second, 'not two');
    assert.equal(hrefOf(first.target), 'http://b.example/c');
    assert.equal(first.form, 'absolute');
    assert.deepEqual(first.client, { address: '127.0.0.1', port: client.socket.localPort, secure: false });
    assert.notEqual(first.id, second.id);
    assert.equal(second.body, null);
    assert.equal(on.server.connections, 1);
  });

  it('tells how an exchange went', async () => {
    const on = await startServer(echo);
    const request = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc';
    const client = await connect(on, request);
    const answer = await client.receive();
    const [finished] = on.finished;
    assert.equal(finished?.outcome.bytesIn, request.length);
    assert.equal(finished.outcome.aborted, null);
    assert.equal(finished.outcome.contentOut, answer.body.length);
    assert.equal(finished.request?.method, 'POST');
    assert.ok(finished.outcome.bytesOut > answer.body.length, `${finished.outcome.bytesOut} > ${answer.body.length}`);
  });

  it('pipelined requests are answered in order, whoever is ready first (RFC 9112 §9.3.2)', async () => {
    const slow = gate();
    const on = await startServer(async (request) => {
      if (request.target.path === '/0') await slow.promise;
      return path(request);
    });
    const requests = Array.from({ length: 50 }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const client = await connect(on, requests.join(''));
    slow.open();
    for (let i = 0; i < 50; i++) assert.equal((await client.receive()).body.toString(), `/${i}`);
  });

  it('a thousand pipelined requests that are answered at once need no stack', async () => {
    const on = await startServer(path);
    const client = await connect(on, GET.repeat(1000));
    for (let i = 0; i < 1000; i++) assert.equal((await client.receive()).body.toString(), '/');
  });

  it('a client that pipelines and does not read is not read from either', async () => {
    const content = 'a'.repeat(100_000);
    let answered = 0;
    const on = await startServer(() => {
      answered++;
      return text(content);
    });
    const client = await RawClient.connect(on.port);
    client.stopReading();
    client.send(GET.repeat(5000));
    await settled(() => answered);
    assert.ok(answered < 500, `${answered} answers for a client that reads none`);
    client.goOnReading();
    for (let i = 0; i < 600; i++) assert.equal((await client.receive()).body.length, content.length);
  });

  it('the connection ends after Connection: close and after HTTP/1.0 (RFC 9112 §9.3, §9.6)', async () => {
    const on = await startServer(path);
    for (const request of ['GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 'GET / HTTP/1.0\r\n\r\n']) {
      const client = await connect(on, request, GET);
      assert.equal((await client.receive()).get('connection'), 'close');
      assert.equal((await client.rest()).length, 0);
    }
    assert.equal(on.finished.length, 2);
  });

  it('a client that half-closes after its requests still gets the answers (RFC 9112 §9.6)', async () => {
    const on = await startServer((request) => Promise.resolve(path(request)));
    const client = await connect(on, 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    client.halfClose();
    assert.equal((await client.receive()).body.toString(), '/1');
    assert.equal((await client.receive()).body.toString(), '/2');
    assert.equal(await client.closed, 'end');
  });

  it('a half-closed connection still gives the requests behind one whose content was read late', async () => {
    const late = gate();
    const on = await startServer(async (request) => {
      await late.promise;
      return echo(request);
    });
    const client = await connect(on, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc${GET}`);
    client.halfClose();
    await new Promise((resolve) => setTimeout(resolve, 30));
    late.open();
    assert.equal((await client.receive()).body.toString(), 'abc');
    assert.equal((await client.receive()).body.toString(), 'none');
    assert.equal(await client.closed, 'end');
  });

  it('a head that breaks off is refused with 400 (RFC 9112 §8)', async () => {
    const on = await startServer(path);
    const client = await connect(on, 'GET / HTTP/1.1\r\nHo');
    client.halfClose();
    assert.equal((await client.receive()).status, 400);
    assert.equal(await client.closed, 'end');
  });

  it('a request is cancelled when its client resets the connection', async () => {
    const aborted = gate();
    const answer = gate();
    const asked = gate();
    const on = await startServer(async (request) => {
      asked.open();
      request.cancellation.add({ onCancelled: () => aborted.open() });
      await answer.promise;
      return text('too late');
    });
    const client = await connect(on, GET);
    await asked.promise;
    client.reset();
    await aborted.promise;
    answer.open();
    await on.finishedCount(1);
    assert.equal(on.finished[0]?.outcome.aborted, 'client');
  });

  it('whoever sends many requests at once does not keep others waiting for the last of them', async () => {
    const order: string[] = [];
    const on = await startServer((request) => {
      order.push(request.target.host);
      return text('abc');
    });
    const [many, one] = [await connect(on), await connect(on)];
    many.send(GET.repeat(1000));
    one.send('GET / HTTP/1.1\r\nHost: b\r\n\r\n');
    assert.equal((await one.receive()).status, 200);
    assert.ok(order.indexOf('b') < 100, `after ${order.indexOf('b')}`);
    for (let i = 0; i < 1000; i++) assert.equal((await many.receive()).status, 200);
    assert.equal(order.length, 1001);
  });

  it('a handler that fails is answered for, and the connection stays usable', async () => {
    const on = await startServer((request) => {
      if (request.target.path === '/sync') throw new Error('a mistake');
      if (request.target.path === '/async') return Promise.reject(new Error('another mistake'));
      return text('abc');
    });
    const client = await connect(
      on,
      'GET /sync HTTP/1.1\r\nHost: a\r\n\r\nGET /async HTTP/1.1\r\nHost: a\r\n\r\n',
      GET,
    );
    assert.equal((await client.receive()).status, 500);
    assert.equal((await client.receive()).status, 500);
    assert.equal((await client.receive()).status, 200);
  });

  describe('refuses malformed requests, hands nothing over and closes the connection (RFC 9112 §11.2)', () => {
    for (const { why, bytes: sent, status } of hostileHeads) {
      it(`${status}: ${why}`, async () => {
        const on = await startServer(path);
        const client = await connect(on, sent, GET);
        const answer = await client.receive();
        assert.equal(answer.status, status);
        assert.equal(answer.get('connection'), 'close');
        assert.equal((await client.rest()).length, 0);
        assert.deepEqual(
          on.finished.map(({ request }) => request),
          [null],
        );
      });
    }

    for (const { why, bytes: sent, status } of hostileBodies) {
      it(`${status}: ${why}`, async () => {
        const on = await startServer(echo);
        const client = await connect(on, sent, GET);
        const answer = await client.receive();
        assert.equal(answer.status, status);
        assert.equal(answer.get('connection'), 'close');
        assert.equal((await client.rest()).length, 0);
        assert.equal(on.finished.length, 1);
      });
    }
  });

  describe('with content in the request', () => {
    it('gives it to the handler, however it is framed', async () => {
      const on = await startServer(echo);
      const client = await connect(
        on,
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n',
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
        GET,
      );
      for (const expected of ['abc', 'def', '', 'none']) {
        assert.equal((await client.receive()).body.toString(), expected);
      }
    });

    it('content that nobody reads does not become a request: a little is discarded', async () => {
      const on = await startServer(path);
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
      const client = await connect(
        on,
        `POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\n\r\n`,
        smuggled,
        `POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n`,
      );
      assert.equal((await client.receive()).body.toString(), '/1');
      assert.equal((await client.receive()).get('connection'), 'close');
      client.send(`${smuggled}\r\n0\r\n\r\n`);
      assert.equal((await client.rest()).length, 0);
      assert.equal(on.finished.length, 2);
    });

    it('content that nobody reads ends the connection if it is long, and the client can read the answer', async () => {
      const on = await startServer(() => text('too much', 413));
      const client = await connect(on, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n');
      client.send(Buffer.alloc(900_000));
      const answer = await client.receive();
      assert.equal(answer.status, 413);
      assert.equal(answer.get('connection'), 'close');
      assert.equal((await client.rest()).length, 0);
      client.halfClose();
      assert.equal(await client.closed, 'end');
    });

    it('content that is never read is read ahead within bounds only', async () => {
      const answered = gate();
      const on = await startServer(async () => {
        await answered.promise;
        return text('abc');
      });
      const client = await connect(on, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
      for (let i = 0; i < 50; i++) client.send(Buffer.alloc(1_000_000));
      const left = await settled(() => client.socket.writableLength);
      assert.ok(left > 0, 'all was taken in for a handler that reads nothing');
      answered.open();
      await client.receive();
      client.close();
    });

    it('100 (Continue) is sent when the handler says so, and not by itself (RFC 9110 §10.1.1)', async () => {
      const on = await startServer((request) => {
        request.inform(100, Fields.none);
        return echo(request);
      });
      const client = await connect(
        on,
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n',
      );
      assert.equal((await client.receiveHead()).status, 100);
      client.send(`abc${GET}`);
      assert.equal((await client.receive()).body.toString(), 'abc');
      assert.equal((await client.receive()).body.toString(), 'none');
    });

    it('a final answer instead of 100 ends the connection: nobody knows if the content comes', async () => {
      const on = await startServer(() => text('no', 417));
      const client = await connect(
        on,
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n',
      );
      const answer = await client.receive();
      assert.equal(answer.get('connection'), 'close');
      assert.equal(answer.informational.length, 0);
    });

    it('content that breaks off makes the read fail, and is answered with 400 (RFC 9112 §8)', async () => {
      const on = await startServer(echo);
      const client = await connect(on, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc');
      client.halfClose();
      assert.equal((await client.receive()).status, 400);
      assert.equal(on.refused[0]?.code, 'bad-request');
    });

    it('broken content that is handed on as the answer is refused if that shows before the answer begins', async () => {
      const on = await startServer(({ body }) => ({ status: 200, reason: '', fields: Fields.none, body }));
      const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
      const client = await connect(on, `${head}nonsense\r\n${GET}`);
      const answer = await client.receive();
      assert.equal(answer.status, 400);
      assert.equal(answer.get('connection'), 'close');
      assert.equal((await client.rest()).length, 0);
      assert.deepEqual(
        on.finished.map(({ response }) => response.status),
        [400],
      );
    });

    it('an answer may begin before the content has ended, and the next request is clean', async () => {
      const on = await startServer((request) => {
        const { body } = request;
        return body === null ? text('none') : { status: 200, reason: '', fields: Fields.none, body };
      });
      const client = await connect(on, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc');
      assert.equal((await client.receiveHead()).contentLength, 5);
      assert.equal((await client.take(3)).toString(), 'abc');
      client.send(`de${GET}`);
      assert.equal((await client.take(2)).toString(), 'de');
      assert.equal((await client.receive()).body.toString(), 'none');
      client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
      assert.equal((await client.receiveHead()).chunked, true);
      assert.equal((await client.take(8)).toString(), '3\r\nabc\r\n');
      client.send('0\r\n\r\n');
      assert.equal((await client.take(5)).toString(), '0\r\n\r\n');
      assert.equal((await client.rest()).length, 0);
    });
  });

  describe('time limits', () => {
    const limits = (changed: Partial<typeof testLimits>): { limits: typeof testLimits } => ({
      limits: { ...testLimits, ...changed },
    });

    it('a head that does not arrive in time is refused with 408 (RFC 9110 §15.5.9)', async () => {
      const on = await startServer(path, limits({ headerTimeout: milliseconds(60) }));
      const client = await connect(on, 'GET / HTTP/1.1\r\n');
      const drip = setInterval(() => client.send('A: b\r\n'), 10);
      const answer = await client.receive();
      clearInterval(drip);
      assert.equal(answer.status, 408);
      assert.equal(answer.get('connection'), 'close');
    });

    it('an idle connection is ended without a word', async () => {
      const on = await startServer(path, limits({ idleTimeout: milliseconds(60) }));
      const client = await connect(on, GET);
      await client.receive();
      assert.equal((await client.rest()).length, 0);
      client.halfClose();
      assert.equal(await client.closed, 'end');
    });

    it('a handler may take longer than any limit of the client', async () => {
      const short = milliseconds(40);
      const on = await startServer(
        async (request) => {
          await new Promise((resolve) => setTimeout(resolve, 200));
          return path(request);
        },
        limits({ idleTimeout: short, headerTimeout: short, bodyTimeout: short }),
      );
      const client = await connect(on, GET);
      assert.equal((await client.receive()).status, 200);
    });

    it('content that stops arriving is refused with 408', async () => {
      const on = await startServer(echo, limits({ bodyTimeout: milliseconds(60) }));
      const client = await connect(on, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc');
      const answer = await client.receive();
      assert.equal(answer.status, 408);
      assert.equal(answer.get('connection'), 'close');
    });

    it('a client that stops reading loses the connection', async () => {
      const chunk = Buffer.alloc(65_536);
      const on = await startServer(
        () => ({ status: 200, reason: '', fields: Fields.none, body: bodyFrom(() => chunk) }),
        limits({ bodyTimeout: milliseconds(100) }),
      );
      const client = await RawClient.connect(on.port);
      client.stopReading();
      client.send(GET);
      await on.finishedCount(1);
      assert.equal(on.finished[0]?.outcome.aborted, 'client');
      client.close();
    });
  });

  describe('connections that are handed over', () => {
    const answer = (socket: Duplex, data: string): void => {
      socket.write(data);
      socket.pipe(socket);
    };

    it('CONNECT gives the socket away, with what came behind the request and no listeners left', async () => {
      let request: ConnectRequest | undefined;
      let rest = '';
      const on = await startServer(path, {
        handler: {
          connect(received, socket, head) {
            request = received;
            rest = head.toString();
            assert.deepEqual(
              ['data', 'drain', 'readable'].map((event) => socket.listenerCount(event)),
              [0, 0, 0],
            );
            answer(socket, 'HTTP/1.1 200 OK\r\n\r\n');
          },
        },
      });
      const client = await connect(on, `${GET}CONNECT B.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\nearly`);
      await client.receive();
      assert.equal((await client.receive('CONNECT')).status, 200);
      client.send('hello');
      assert.equal((await client.take(5)).toString(), 'hello');
      assert.equal(rest, 'early');
      assert.deepEqual(request?.authority, { host: 'b.example', port: 443 });
      client.halfClose();
      assert.equal(await client.closed, 'end');
    });

    it('a refused CONNECT is answered, and the connection ended', async () => {
      const on = await startServer(path, {
        handler: { connect: (_, socket) => answerAndEnd(socket, text('no', 403), systemClock, () => undefined) },
      });
      const client = await connect(on, 'CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n');
      const refusal = await client.receive('CONNECT');
      assert.equal(refusal.status, 403);
      assert.equal(refusal.get('connection'), 'close');
      client.halfClose();
      assert.equal(await client.closed, 'end');
    });

    const upgrade = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

    it('an upgrade that is taken gives the socket away (RFC 9110 §7.8)', async () => {
      const on = await startServer(path, {
        handler: {
          upgrade(_, socket, head) {
            answer(socket, `HTTP/1.1 101 Switching Protocols\r\n\r\n${head.toString()}`);
            return true;
          },
        },
      });
      const client = await connect(on, `${upgrade}early`);
      assert.equal((await client.receive()).status, 101);
      assert.equal((await client.take(5)).toString(), 'early');
      client.send('hello');
      assert.equal((await client.take(5)).toString(), 'hello');
    });

    it('an upgrade that is not taken is answered like another request, and what follows is kept', async () => {
      const on = await startServer(path);
      const client = await connect(on, `${upgrade}GET /2 HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.equal((await client.receive()).body.toString(), '/');
      assert.equal((await client.receive()).body.toString(), '/2');
      client.send(GET);
      assert.equal((await client.receive()).body.toString(), '/');
    });
  });

  describe('closing', () => {
    it('ends idle connections, lets a request under way be answered, and accepts no more', async () => {
      const ready = gate();
      const on = await startServer(async (request) => {
        await ready.promise;
        return path(request);
      });
      const idle = await RawClient.connect(on.port);
      const busy = await connect(on, GET);
      while (on.server.connections < 2) await new Promise(setImmediate);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const closed = on.server.close(milliseconds(60_000));
      assert.equal((await idle.rest()).length, 0);
      idle.halfClose();
      await assert.rejects(RawClient.connect(on.port));
      ready.open();
      const answer = await busy.receive();
      assert.equal(answer.get('connection'), 'close');
      busy.halfClose();
      await closed;
      await on.server.close(milliseconds(0));
      assert.equal(on.server.connections, 0);
    });

    it('destroys what is left after the time allowed, tunnels included', async () => {
      const on = await startServer(() => new Promise<Response>(() => undefined), {
        handler: { connect: (_, socket) => void socket.resume().write('HTTP/1.1 200 OK\r\n\r\n') },
      });
      const busy = await connect(on, GET);
      const tunnel = await connect(on, 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n');
      await tunnel.receive('CONNECT');
      await on.server.close(milliseconds(50));
      await busy.rest();
      await tunnel.rest();
    });

    it('a port that is taken makes listen fail with the error of the system', async () => {
      const on = await startServer(path);
      const address = { host: '127.0.0.1', port: on.port };
      const other = new HttpServer({
        address,
        clock: systemClock,
        logger: createLogger({ level: 'silent', write: noop }),
      });
      await assert.rejects(other.listen(), { code: 'EADDRINUSE' });
    });
  });
});

describe('a connection', () => {
  it('the same bytes in any pieces are the same requests with the same content', async () => {
    const piece = fc.constantFrom(
      'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n',
      '\r\nHEAD http://b/2 HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n',
      'POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123\r\n\r\n89',
      'PUT /4 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a="b"\r\nabc\r\n2\r\n\r\n\r\n0\r\nC: d\r\n\r\n',
      'POST /5 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n',
      'BAD /6 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    );
    const stream = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => Buffer.from(pieces.join('')));
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(stream, sizes, fc.boolean(), async (data, splits, reading) => {
        assert.deepEqual(await converse(data, splits, reading), await converse(data, [data.length], reading));
      }),
      { numRuns: runCount(150) },
    );
  });
});

/** What a connection makes of a byte stream: the requests with their content, and the statuses of the answers. */
async function converse(data: Buffer, sizes: readonly number[], reading: boolean): Promise<string[]> {
  const seen: string[] = [];
  let received = '';
  const ended = gate();
  const socket = new Duplex({
    allowHalfOpen: true,
    read: () => undefined,
    write(chunk: Buffer, _, done) {
      received += chunk.toString('latin1');
      setImmediate(done);
    },
  });
  const request = async (one: Request): Promise<Response> => {
    const content = one.body === null || !reading ? '-' : (await readAll(one.body, LIMIT)).toString('latin1');
    seen.push(`${one.method} ${hrefOf(one.target)} ${one.fields.wire()} ${content} ${one.body?.trailers.wire() ?? ''}`);
    return text('');
  };
  const client = { address: '192.0.2.1', port: 1, secure: false };
  new Connection(
    {
      socket,
      client,
      ownAuthority: '192.0.2.2:80',
      reset: noop,
      bytesSent: () => bytes(0),
      onEnded: () => ended.open(),
    },
    {
      limits: testLimits,
      clock: { now: () => 0 as never, monotonic: () => 0 as never },
      logger: { debug: noop, info: noop, warn: noop, error: noop, flush: noop, child: () => assert.fail() },
      handler: { request, connect: () => assert.fail(), upgrade: () => assert.fail() },
      observer: { onRefused: (error) => text(error.code, error.kind.status), onFinished: noop },
      nextId: () => 'id',
      counters: listenerCounters(),
    },
  );
  for (let at = 0, i = 0; at < data.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    socket.push(data.subarray(at, at + size));
    at += size;
    if (i % 3 === 0) await new Promise(setImmediate);
  }
  socket.push(null);
  await ended.promise;
  return [...seen, ...[...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status ?? '')];
}

const noop = (): void => undefined;
