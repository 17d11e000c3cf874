import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { runPacedLoad, type PacedPlan } from '../../bench/paced-load.js';
import { needPrograms } from '../clients/programs.js';

const { signal } = new AbortController();

describe('the load at a constant rate', () => {
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let paths: string[];

  beforeEach(async function () {
    needPrograms(this, 'luajit');
    paths = [];
    answer = (_request, response) => response.end('0123456789');
    server = createServer((request, response) => {
      paths.push(request.url ?? '');
      answer(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const port = (): number => (server.address() as AddressInfo).port;

  const load = (plan: Partial<PacedPlan> = {}) =>
    runPacedLoad(
      {
        ...{ port: port(), path: "'/' .. n", paths: null, fields: {}, status: 200, bodyBytes: 10, authority: null },
        ...{ seconds: 5, connections: 4, rate: null, requests: 50, under: [] },
        ...plan,
      },
      signal,
    );

  it('asks once for each number', async () => {
    const { requests, failures } = await load();
    assert.deepEqual({ requests, failures }, { requests: 50, failures: 0 });
    assert.deepEqual(paths.toSorted(), Array.from({ length: 50 }, (_, n) => `/${n}`).sort());
  });

  it('goes round paths that are asked for again and again', async () => {
    await load({ paths: 2 });
    assert.deepEqual(new Set(paths), new Set(['/0', '/1']));
  });

  it('keeps its rate: all requests of the time are sent, and not before they are due', async () => {
    const { requests, seconds } = await load({ rate: 200, seconds: 0.25, requests: 50 });
    assert.equal(requests, 50);
    assert.ok(seconds >= 49 / 200, String(seconds));
  });

  it('charges a server that stalls for all requests that became due meanwhile, sent or not', async () => {
    let stall: Promise<void> | null = null;
    answer = (_request, response) => void (stall ??= delay(500)).then(() => response.end('0123456789'));
    const { p50Microseconds } = await load({ connections: 1, rate: 100, seconds: 0.4, requests: 40 });
    // The 20th is due after 190 ms, and nothing is answered before 500 ms.
    assert.ok(p50Microseconds > 290_000, String(p50Microseconds));
  });

  it('sends the fields it is told, and takes a 304 for complete without content', async () => {
    answer = ({ headers }, response) => {
      response.statusCode = headers['if-none-match'] === '"it"' ? 304 : 200;
      response.end();
    };
    const { requests } = await load({ status: 304, fields: { 'If-None-Match': '"it"' } });
    assert.equal(requests, 50);
  });

  it('refuses another status than the one it expects', async () => {
    answer = (_request, response) => response.writeHead(500).end('0123456789');
    await assert.rejects(load(), /not a 200 with 10 bytes: HTTP\/1.1 500/);
  });

  it('refuses content of another length', async () => {
    answer = (_request, response) => response.end('012345678');
    await assert.rejects(load(), /not a 200 with 10 bytes/);
  });

  it('refuses a server that closes connections', async () => {
    answer = (request) => request.socket.destroy();
    await assert.rejects(load(), /closed a connection|cannot be received/);
  });

  it('counts all bytes of large content that comes in many parts', async () => {
    const content = Buffer.alloc(3_000_000);
    answer = (_request, response) => response.end(content);
    const { requests, bytes } = await load({ bodyBytes: content.length, requests: 8 });
    assert.equal(requests, 8);
    assert.ok(bytes > 8 * content.length, String(bytes));
  });

  it('asks an origin server through a tunnel, one for each connection', async () => {
    const authorities: string[] = [];
    const proxy = createServer().on('connect', ({ url = '' }, socket) => {
      authorities.push(url);
      const onward = connect(port(), '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      for (const [one, other] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        one.on('error', () => other.destroy());
        one.pipe(other);
      }
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port: proxyPort } = proxy.address() as AddressInfo;
    const { requests } = await load({ port: proxyPort, authority: 'origin.test:80' });
    proxy.close();
    assert.equal(requests, 50);
    assert.equal(paths.length, 50);
    assert.deepEqual(authorities, Array<string>(4).fill('origin.test:80'));
  });

  it('refuses a proxy that opens no tunnel', async () => {
    const proxy = createServer().on('connect', (_request, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port: proxyPort } = proxy.address() as AddressInfo;
    await assert.rejects(load({ port: proxyPort, authority: 'origin.test:80' }), /no tunnel: HTTP\/1.1 403/);
    proxy.close();
  });
});
