import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { milliseconds } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import { DialGuard } from '../../proxy/forward/dial-guard.js';
import { passUpgrade, type PassUpgradeOptions } from '../../proxy/forward/pass-through.js';
import type { OutgoingRequest } from '../../proxy/forward/upstream.js';
import { Fields } from '../../proxy/http/fields.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import { makeCertificates } from '../support/certificates.js';
import { pour, rawOrigin, type RawOrigin, type RawScript } from '../support/raw-origin.js';
import { settled } from '../support/waiting.js';
import { closing, connectedPair, readToEnd, readUntil, type ConnectedPair } from './connected-pair.js';
import { createDialler, failsWith } from './upstream-fixture.js';

const switching =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n';

const handshake = (target: TargetUri): OutgoingRequest => ({
  method: 'GET',
  target,
  fields: new Fields([
    ...['Host', target.authority, 'Via', '1.1 w', 'Cookie', 'a=1', 'Cookie', 'b=2', 'X-Latin', '\xe9'],
    ...['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version', '13'],
    ...['Connection', 'Upgrade', 'Upgrade', 'websocket'],
  ]),
  body: null,
});

const passing = (
  request: OutgoingRequest,
  client: Duplex,
  more: Partial<PassUpgradeOptions> = {},
  head: Buffer = Buffer.alloc(0),
): ReturnType<typeof passUpgrade> =>
  passUpgrade(request, client, head, {
    dialler: createDialler(),
    firstByteTimeout: milliseconds(5000),
    signal: new AbortController().signal,
    ...more,
  });

describe('passing an upgrade through', () => {
  let pair: ConnectedPair;
  let origin: RawOrigin;

  beforeEach(async () => {
    pair = await connectedPair();
  });
  afterEach(async () => {
    pair.far.destroy();
    pair.near.destroy();
    await origin.close();
  });

  const start = async (script: RawScript): Promise<void> => {
    origin = await rawOrigin(script);
  };

  it('the request goes out with its target and all its fields (RFC 6455 §4.1)', async () => {
    await start((socket) => void socket.write(switching));
    assert.equal(await passing(handshake(origin.target('/chat?room=1')), pair.near), 'open');
    const [text = ''] = origin.requests;
    assert.match(text, /^GET \/chat\?room=1 HTTP\/1\.1\r\n/);
    for (const line of [
      'via: 1.1 w',
      'upgrade: websocket',
      'connection: Upgrade',
      'x-latin: \xe9',
      'sec-websocket-version: 13',
    ]) {
      assert.ok(text.includes(`\r\n${line}\r\n`), `${line} in ${text}`);
    }
    assert.ok(text.includes(`\r\nhost: ${origin.target().authority}\r\n`), text);
    assert.match(text, /\r\ncookie: a=1; ?b=2\r\n|\r\ncookie: a=1\r\ncookie: b=2\r\n/);
    assert.doesNotMatch(text, /x-forwarded|content-length|transfer-encoding/i);
  });

  it('the 101 is passed on with its fields and this node in Via (RFC 9110 §7.6.3, §7.8)', async () => {
    await start((socket) => void socket.write(switching));
    await passing(handshake(origin.target()), pair.near, { via: '1.1 willis' });
    const text = await readUntil(pair.far, '\r\n\r\n');
    assert.match(text, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.match(text, /\r\nconnection: Upgrade\r\n/);
    assert.match(text, /\r\nupgrade: websocket\r\n/);
    assert.match(text, /\r\nsec-websocket-accept: x\r\n/);
    assert.match(text, /\r\nvia: 1\.1 willis\r\n/);
  });

  it('bytes pass in both directions, those that came too early included, and are counted', async () => {
    await start((socket) => {
      socket.removeAllListeners('data').removeAllListeners('end');
      socket.write(`${switching}early `);
      socket.pipe(socket);
    });
    const closed = new Promise((resolve) => {
      void passing(handshake(origin.target()), pair.near, { onClosed: resolve }, Buffer.from('hasty '));
    });
    let text = await readUntil(pair.far, 'hasty ');
    assert.match(text, /\r\n\r\nearly hasty $/);
    pair.far.end('last');
    text += (await readToEnd(pair.far)).text;
    assert.match(text, /early hasty last$/);
    const contentOut = text.length - text.indexOf('early hasty last');
    assert.deepEqual(await closed, { bytesIn: 10, bytesOut: text.length, contentOut });
  });

  it('the end of the client is passed on, and the answer to it comes back', async () => {
    await start((socket) => {
      socket.removeAllListeners('data').removeAllListeners('end');
      socket.write(switching);
      let got = '';
      socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
      socket.on('end', () => socket.end(`got ${got}`));
    });
    await passing(handshake(origin.target()), pair.near);
    await readUntil(pair.far, '\r\n\r\n');
    pair.far.end('question');
    assert.deepEqual(await readToEnd(pair.far), { text: 'got question', end: 'end' });
  });

  it('the end of the origin server is passed on', async () => {
    await start((socket) => void socket.end(`${switching}bye`));
    await passing(handshake(origin.target()), pair.near);
    assert.match((await readToEnd(pair.far)).text, /\r\n\r\nbye$/);
    pair.far.end();
    await closing(pair.near);
  });

  it('a reset of the origin server ends the connection of the client', async () => {
    await start((socket) => void socket.write(switching, () => setImmediate(() => socket.resetAndDestroy())));
    await passing(handshake(origin.target()), pair.near);
    assert.equal((await readToEnd(pair.far)).end, 'reset');
    await closing(pair.near);
  });

  it('the client going away ends the connection to the origin server', async () => {
    await start((socket) => void socket.write(switching));
    await passing(handshake(origin.target()), pair.near);
    pair.far.resetAndDestroy();
    const [socket] = origin.connections;
    await closing(socket!);
  });

  it('the signal ends both sides', async () => {
    await start((socket) => void socket.write(switching));
    const controller = new AbortController();
    await passing(handshake(origin.target()), pair.near, { signal: controller.signal });
    controller.abort();
    const [socket] = origin.connections;
    await closing(socket!);
    await readToEnd(pair.far);
  });

  it('a client that stops reading holds the origin server back', async () => {
    let written = (): number => 0;
    await start((socket) => {
      socket.write(switching);
      ({ written } = pour(socket, 64_000_000));
    });
    await passing(handshake(origin.target()), pair.near);
    const taken = await settled(() => written());
    assert.ok(taken < 32_000_000, `${taken} bytes were taken`);
  });

  describe('an answer that is no 101', () => {
    it('is passed on to its end, with Connection: close and without hop-by-hop fields (RFC 9110 §7.6.1)', async () => {
      const fields =
        'Content-Length: 4\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nKeep-Alive: x\r\nX-Hop: y\r\nConnection: X-Hop';
      await start((socket) => void socket.write(`HTTP/1.1 403 Forbidden\r\n${fields}\r\n\r\nnope`));
      const outcome = await passing(handshake(origin.target()), pair.near, { via: '1.1 willis' });
      assert.deepEqual(outcome, { status: 403 });
      const { text, end } = await readToEnd(pair.far);
      assert.equal(end, 'end');
      assert.match(text, /^HTTP\/1\.1 403 Forbidden\r\n/);
      assert.match(text, /\r\ncontent-length: 4\r\n/);
      assert.match(text, /\r\nset-cookie: a\r\nset-cookie: b\r\n/);
      assert.match(text, /\r\nconnection: close\r\n/);
      assert.match(text, /\r\nvia: 1\.1 willis\r\n/);
      assert.doesNotMatch(text, /keep-alive|x-hop/i);
      assert.match(text, /\r\n\r\nnope$/);
      pair.far.end();
      await closing(pair.near);
    });

    it('is passed on chunked if it came chunked', async () => {
      await start(
        (socket) => void socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'),
      );
      assert.deepEqual(await passing(handshake(origin.target()), pair.near), { status: 200 });
      const { text } = await readToEnd(pair.far);
      assert.match(text, /\r\ntransfer-encoding: chunked\r\n/);
      assert.match(text, /\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/);
    });

    it('of an HTTP/1.0 server is sent as HTTP/1.1 (RFC 9110 §6.2)', async () => {
      await start((socket) => void socket.end('HTTP/1.0 404 Not Found\r\n\r\nnothing'));
      assert.deepEqual(await passing(handshake(origin.target()), pair.near), { status: 404 });
      const { text, end } = await readToEnd(pair.far);
      assert.match(text, /^HTTP\/1\.1 404 Not Found\r\n/);
      assert.match(text, /\r\n\r\nnothing$/);
      assert.equal(end, 'end');
    });

    for (const [framing, how] of [
      ['Content-Length: 10', 'ends'],
      ['Content-Length: 10', 'is reset'],
      ['Connection: close', 'is reset'],
    ] as const) {
      it(`whose transfer ${how} early (${framing}) breaks off for the client too (RFC 9112 §8)`, async () => {
        await start((socket) => {
          socket.write(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\npart`);
          setTimeout(() => (how === 'ends' ? socket.end() : socket.resetAndDestroy()), 30);
        });
        assert.deepEqual(await passing(handshake(origin.target()), pair.near), { status: 200 });
        assert.equal((await readToEnd(pair.far)).end, 'reset');
      });
    }
  });

  describe('a failure before the answer', () => {
    const fails = async (
      code: Parameters<typeof failsWith>[0],
      more: Partial<PassUpgradeOptions> = {},
    ): Promise<void> => {
      await assert.rejects(passing(handshake(origin.target()), pair.near, more), failsWith(code));
      assert.equal(pair.near.destroyed, false);
      pair.near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      assert.deepEqual(await readToEnd(pair.far), { text: 'HTTP/1.1 502 Bad Gateway\r\n\r\n', end: 'end' });
      for (const socket of origin.connections) await closing(socket);
    };

    const ends: Record<string, RawScript> = {
      'a reset': (socket) => void socket.resetAndDestroy(),
      'an end': (socket) => void socket.end(),
      'an end within the head': (socket) => void socket.end('HTTP/1.1 101 Switch'),
    };
    for (const [how, end] of Object.entries(ends)) {
      it(`by ${how} leaves the client to the caller`, async () => {
        await start(end);
        await fails('upstream-reset');
      });
    }

    it('by silence leaves the client to the caller', async () => {
      await start(() => undefined);
      await fails('upstream-timeout', { firstByteTimeout: milliseconds(30) });
    });

    it('by the guard leaves the client to the caller', async () => {
      await start(() => undefined);
      await fails('destination-refused', {
        dialler: createDialler({ guard: new DialGuard({ allow: [], deny: ['private'] }) }),
      });
      assert.equal(origin.connections.length, 0);
    });

    const odd: Record<string, string> = {
      'no HTTP': 'hello, this is not HTTP\r\n\r\n',
      'a 101 for another protocol (RFC 9110 §7.8)': switching.replace('websocket', 'h2c'),
      'a 101 for several protocols (RFC 9110 §7.8)': switching.replace('websocket', 'websocket, h2c'),
      'a 101 without Upgrade': 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
      'a 101 whose Connection does not name Upgrade': switching.replace('Connection: Upgrade', 'Connection: close'),
      'gzip, chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      'Content-Length beside chunked':
        'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'Content-Length twice': 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
      'chunked in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'bare LF': 'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    };
    for (const [name, answer] of Object.entries(odd)) {
      it(`${name}: nothing of it reaches the client`, async () => {
        await start((socket) => void socket.write(answer));
        await fails('upstream-malformed');
      });
    }

    it('by the client going away is told', async () => {
      await start(() => undefined);
      const passed = passing(handshake(origin.target()), pair.near);
      while (origin.requests.length === 0) await new Promise(setImmediate);
      pair.near.destroy();
      await assert.rejects(passed, failsWith('client-gone'));
      const [socket] = origin.connections;
      await closing(socket!);
    });

    it('by the signal is told', async () => {
      await start(() => undefined);
      await assert.rejects(
        passing(handshake(origin.target()), pair.near, { signal: AbortSignal.abort() }),
        WillisError,
      );
      const controller = new AbortController();
      const passed = passing(handshake(origin.target()), pair.near, { signal: controller.signal });
      while (origin.requests.length === 0) await new Promise(setImmediate);
      controller.abort();
      await assert.rejects(passed, WillisError);
      assert.equal(pair.near.destroyed, false);
    });
  });

  describe('with real WebSockets (RFC 6455)', () => {
    let proxy: Server;
    let target: TargetUri;
    let ca: string[];

    beforeEach(async () => {
      ca = [];
      proxy = createServer();
      proxy.on('upgrade', (request, socket: Socket, head) => {
        const lines = [...request.rawHeaders, 'Via', '1.1 w'];
        void passing(
          { method: 'GET', target, fields: new Fields(lines), body: null },
          socket,
          { dialler: createDialler({ ca }) },
          head,
        );
      });
      proxy.listen(0, '127.0.0.1');
      await once(proxy, 'listening');
    });
    afterEach(() => {
      proxy.close();
      proxy.closeAllConnections();
    });

    async function echoes(): Promise<void> {
      const client = new WebSocket(`ws://127.0.0.1:${(proxy.address() as AddressInfo).port}/x`);
      await once(client, 'open');
      for (const message of ['hello', 'x'.repeat(1_000_000), '']) {
        client.send(message);
        const [echo] = (await once(client, 'message')) as [Buffer];
        assert.equal(echo.toString(), message);
      }
      client.close(4000, 'done');
      const [code, reason] = (await once(client, 'close')) as [number, Buffer];
      assert.deepEqual([code, reason.toString()], [4000, 'done']);
    }

    const echo = (server: WebSocketServer): void =>
      void server.on('connection', (socket) => {
        socket.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));
      });

    it('messages are echoed and the close is passed on, over http', async () => {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      echo(server);
      origin = await rawOrigin(() => undefined);
      const { port } = server.address() as AddressInfo;
      target = { ...origin.target('/x'), port, authority: `127.0.0.1:${port}` };
      await echoes();
      server.close();
    });

    it('messages are echoed and the close is passed on, over https', async () => {
      const certificates = await makeCertificates();
      ca = [certificates.ca];
      const { createServer: createSecureServer } = await import('node:https');
      const web = createSecureServer(certificates.leaf);
      const server = new WebSocketServer({ server: web });
      echo(server);
      web.listen(0, '127.0.0.1');
      await once(web, 'listening');
      origin = await rawOrigin(() => undefined);
      const { port } = web.address() as AddressInfo;
      target = { ...origin.target('/x'), scheme: 'https', port, authority: `127.0.0.1:${port}` };
      await echoes();
      server.close();
      web.close();
    });
  });
});
