import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { CountingRelay } from '../support/counting-relay.js';
import { FakeClock } from '../support/fake-clock.js';
import { gate } from '../support/gate.js';
import { KeptBooks } from '../support/kept-books.js';
import { answer, answerBrokenOff, answerInPieces, byPath, silence } from '../support/origin-scripts.js';
import type { RawClient, RawResponse } from '../support/raw-client.js';
import { rawOrigin, type RawOrigin } from '../support/raw-origin.js';
import { startOrigin, type OriginHandler, type ScriptedOrigin } from '../support/scripted-origin.js';
import { turns } from '../support/willis.js';

const fresh = { 'Cache-Control': 'max-age=60', ETag: '"1"' };
const webSocket = {
  ...{ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
type Fields = Readonly<Record<string, string>>;

describe('metrics and access log', () => {
  let clock: FakeClock;
  let origin: ScriptedOrigin;
  let relay: CountingRelay;
  let other: RawOrigin;
  let books: KeptBooks;

  beforeEach(async () => {
    clock = new FakeClock();
    origin = await startOrigin(answer(404), { clock });
    relay = await CountingRelay.to(origin.port);
    const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
    other = await rawOrigin((socket, text) => {
      if (text.includes('/refused')) socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      else socket.write(/^GET /.test(text) ? switching : text);
    });
    const site = `http://127.0.0.1:${relay.port}/`;
    books = await KeptBooks.start({
      clock,
      origin,
      config: {
        access: { destinations: { allow: ['127.0.0.1'] }, connectPorts: [other.port] },
        limits: { drainTimeout: '1s', headerBytes: '2KiB', uri: '512' },
        sites: [
          { host: 'site.test', origin: site },
          { host: 'site.test', prefix: '/deep/', origin: site },
          { host: 'ws.test', origin: `http://127.0.0.1:${other.port}/` },
          { host: 'dead.test', origin: 'http://127.0.0.1:1/' },
        ],
        cache: { rules: [{ match: 'http://site.test/ruled/*' }, { match: '*://*/never/', store: false }] },
      },
    });
  });
  afterEach(async () => {
    await books.willis.stop();
    await relay.close();
    await other.close();
  });

  /** One request on a connection of its own, and what it is to be. */
  const ask = async (
    outcome: string,
    status: number,
    method: string,
    target: string,
    fields: Fields = {},
    body = '',
  ): Promise<RawResponse> => {
    const side = /^\w+:/.test(target) || method === 'CONNECT' ? 'proxy' : 'site';
    books.expect(side, outcome, status);
    const client = await books.connect(side);
    client.request(method, target, { Host: 'site.test', ...fields }, body);
    const response = await client.receive(method);
    assert.equal(response.status, status, `${method} ${target}`);
    client.close();
    await client.closed;
    return response;
  };
  const get = (outcome: string, status: number, target: string, fields: Fields = {}): Promise<RawResponse> =>
    ask(outcome, status, 'GET', target, fields);
  /** Sends a request whose answer is still to come. */
  const begin = async (outcome: string, status: number, target: string, fields: Fields = {}): Promise<RawClient> => {
    books.expect('site', outcome, status);
    const client = await books.connect();
    client.request('GET', target, { Host: 'site.test', ...fields });
    return client;
  };
  const abortedBy = (log: readonly { aborted: string | null }[]): (string | null)[] =>
    log.map(({ aborted }) => aborted).filter((by) => by !== null);

  it('agree with clients that count for themselves: hits, misses, conditions, ranges, POST, both sides', async () => {
    const text = 'x'.repeat(10_000);
    origin.handle(
      byPath({
        '/a': answer(200, fresh, text),
        '/ruled/b': answer(200, fresh, text),
        '/c': answer(200, {}, text),
        '/never/d': answer(200, fresh, text),
        '/chunked': answerInPieces(200, fresh, 'one', 'two', 'three'),
        '/vary': answer(200, { ...fresh, Vary: 'Accept' }, 'v'),
        '/hints': hinted,
        '/post': (request, response) => void response.end(request.body),
        '/none': answer(204),
      }),
    );
    await get('fwd=uri-miss', 200, '/a');
    for (let i = 0; i < 5; i++) await get('hit', 200, '/a');
    await ask('hit', 200, 'HEAD', '/a');
    await get('hit', 304, '/a', { 'If-None-Match': '"1"' });
    await get('hit', 206, '/a', { Range: 'bytes=5-14' });
    await get('hit', 206, '/a', { Range: 'bytes=0-1,5-14' });
    await get('hit', 416, '/a', { Range: 'bytes=20000-' });
    await get('fwd=uri-miss', 200, '/ruled/b');
    await get('hit', 200, '/ruled/b');
    for (let i = 0; i < 2; i++) await get('fwd=uri-miss', 200, '/deep/c');
    for (let i = 0; i < 2; i++) await get('fwd=bypass', 200, '/never/d');
    await get('fwd=uri-miss', 200, '/chunked');
    await get('hit', 200, '/chunked');
    await get('fwd=request', 200, '/a', { 'Cache-Control': 'no-cache' });
    await get('fwd=uri-miss', 200, '/vary', { Accept: 'a/b' });
    await get('fwd=vary-miss', 200, '/vary', { Accept: 'c/d' });
    const hints = await get('fwd=uri-miss', 200, '/hints');
    assert.equal(hints.informational.length, 1);
    await get('fwd=uri-miss', 204, '/none');
    await ask('fwd=method', 200, 'POST', '/post', { 'Content-Length': '5' }, 'hello');
    await ask('fwd=method', 200, 'POST', '/post', { 'Transfer-Encoding': 'chunked' }, '5\r\nhello\r\n0\r\n\r\n');
    const proxied = `http://127.0.0.1:${relay.port}/a`;
    await get('fwd=uri-miss', 200, proxied);
    await get('hit', 200, proxied);
    const closed = await books.close();
    assert.deepEqual(
      closed.log.filter(({ rule }) => rule !== '').map(({ site, rule, outcome }) => [site, rule, outcome]),
      [
        ['site.test/', 'http://site.test/ruled/*', 'fwd=uri-miss'],
        ['site.test/', 'http://site.test/ruled/*', 'hit'],
        ['site.test/', '*://*/never/', 'fwd=bypass'],
        ['site.test/', '*://*/never/', 'fwd=bypass'],
      ],
    );
    assert.equal(closed.log.filter(({ site }) => site === 'site.test/deep/').length, 2);
    assert.equal(closed.sum('willis_upstream_requests_total'), origin.count());
    assert.deepEqual(closed.total('willis_upstream_bytes_total', ['direction']), {
      received: relay.back,
      sent: relay.forth,
    });
    const contents = closed.log.map(({ contentOut, uri, method, status }) => [method, uri, status, contentOut]);
    assert.equal(
      contents.some(([method, , , content]) => method === 'HEAD' && content === 0),
      true,
    );
    assert.equal(
      contents.some(([, , status, content]) => status === 304 && content === 0),
      true,
    );
    assert.equal(
      contents.some(([, uri, , content]) => uri === 'http://site.test/chunked' && content === 11),
      true,
    );
    assert.deepEqual(closed.samples('willis_errors_total'), []);
  });

  it('agree about requests one behind the other on one connection, and empty lines between them', async () => {
    origin.handle(answer(200, fresh, 'x'));
    const client = await books.connect();
    client.send('GET /a HTTP/1.1\r\nHost: site.test\r\n\r\n');
    await client.receive();
    books.expect('site', 'fwd=uri-miss', 200);
    client.send(
      'GET /a HTTP/1.1\r\nHost: site.test\r\n\r\n\r\n'.repeat(3) + 'HEAD /a HTTP/1.1\r\nHost: site.test\r\n\r\n',
    );
    for (const method of ['GET', 'GET', 'GET', 'HEAD']) {
      await client.receive(method);
      books.expect('site', 'hit', 200);
    }
    client.close();
    await books.close();
  });

  it('agree about failures of every kind, each with its code', async () => {
    origin.handle(byPath({ '/reset': cutOff(), '/garbage': cutOff('HTTP/1.1 2000 What\r\n\r\n') }));
    await get('upstream-reset', 502, '/reset');
    await get('upstream-malformed', 502, '/garbage');
    await get('connect-refused', 502, '/', { Host: 'dead.test' });
    await get('not-cached', 504, '/', { 'Cache-Control': 'only-if-cached' });
    await get('misdirected', 421, '/', { Host: 'nobody.test' });
    await get('expectation-failed', 417, '/', { Expect: 'miracles' });
    await get('destination-refused', 403, 'http://10.0.0.1/');
    await get('uri-too-long', 414, `/${'u'.repeat(600)}`);
    await get('fields-too-large', 431, '/', { Long: 'f'.repeat(2100) });
    await ask('port-refused', 403, 'CONNECT', '127.0.0.1:1', { Host: '127.0.0.1:1' });
    await get('connect-refused', 502, '/chat', { Host: 'dead.test', ...webSocket });
    books.expect('site', 'method-not-allowed', 405);
    const tunnel = await books.connect();
    tunnel.request('CONNECT', 'a.test:443', { Host: 'a.test:443' });
    assert.equal((await tunnel.receive('CONNECT')).status, 405);
    tunnel.close();
    for (const text of ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 'nonsense\r\n\r\n', 'GET / HTTP/1.1\r\nHos']) {
      books.expect('site', 'bad-request', 400);
      const client = await books.connect();
      client.send(text);
      client.halfClose();
      assert.equal((await client.receive()).status, 400);
      client.close();
    }
    const closed = await books.close();
    const byCode = new Map<string, number>();
    for (const { outcome } of closed.log) byCode.set(outcome, (byCode.get(outcome) ?? 0) + 1);
    const sorted = [...byCode].sort(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(closed.total('willis_errors_total', ['code']), Object.fromEntries(sorted));
    assert.deepEqual(closed.total('willis_upstream_requests_total', ['result']), {
      ...{ 'connect-refused': 1, 'destination-refused': 1, 'upstream-malformed': 1, 'upstream-reset': 1 },
    });
    assert.equal(closed.hitRatio.requests, null);
  });

  it('agree about answers that break off, and tell who broke them off', async () => {
    const [cut, never] = [gate(), gate()];
    const broken = { 'Content-Length': '100' };
    origin.handle(
      byPath({
        '/length': answerBrokenOff(200, broken, 'x'.repeat(40), cut),
        '/chunks': answerBrokenOff(200, {}, 'y'.repeat(50), cut),
        '/endless': answerInPieces(200, {}, 'z'.repeat(60), never),
        '/silent': silence,
      }),
    );
    const [length, chunks] = [await begin('fwd=uri-miss', 200, '/length'), await begin('fwd=uri-miss', 200, '/chunks')];
    await length.receiveHead();
    await length.take(40);
    await chunks.receiveHead();
    await chunks.take('32\r\n'.length + 50 + '\r\n'.length);
    cut.open();
    for (const client of [length, chunks]) {
      assert.equal((await client.rest()).length, 0);
      client.close();
    }
    const endless = await begin('fwd=uri-miss', 200, '/endless');
    await endless.receiveHead();
    await endless.take('3c\r\n'.length + 60 + '\r\n'.length);
    endless.reset();
    const silent = await begin('client-gone', 499, '/silent');
    await origin.received(4);
    silent.reset();
    await origin.last.ended;
    await turns();
    const closed = await books.close();
    assert.deepEqual(abortedBy(closed.log).sort(), ['client', 'client', 'upstream', 'upstream']);
    assert.deepEqual(closed.total('willis_aborted_answers_total', ['by']), { client: 2, upstream: 2 });
    assert.deepEqual(closed.total('willis_errors_total', ['code']), { 'client-gone': 1, 'upstream-incomplete': 2 });
    const gone = closed.log.find(({ outcome }) => outcome === 'client-gone');
    assert.deepEqual([gone?.bytesOut, gone?.firstByteTime], [0, null]);
    never.open();
  });

  it('agree about tunnels, WebSockets, and upgrades that are refused', async () => {
    books.expect('proxy', 'tunnel', 200);
    const tunnel = await books.connect('proxy');
    tunnel.request('CONNECT', `127.0.0.1:${other.port}`, { Host: `127.0.0.1:${other.port}` });
    assert.equal((await tunnel.receive('CONNECT')).status, 200);
    tunnel.send('12345\r\n\r\n');
    assert.equal((await tunnel.take(9)).toString(), '12345\r\n\r\n');
    assert.deepEqual(openNow(books, 'willis_tunnels_open'), 1);
    assert.deepEqual(openNow(books, 'willis_connections_open', 'proxy'), 1);
    tunnel.halfClose();
    await tunnel.closed;
    const socket = await begin('upgrade', 101, '/chat', { Host: 'ws.test', ...webSocket });
    assert.equal((await socket.receiveHead()).status, 101);
    socket.send('frames\r\n\r\n');
    await socket.take(10);
    socket.halfClose();
    await socket.closed;
    await get('upgrade', 403, '/refused', { Host: 'ws.test', ...webSocket });
    const closed = await books.close();
    assert.deepEqual(
      closed.log.map(({ outcome, contentOut, site }) => [outcome, contentOut, site]),
      [
        ['tunnel', 9, ''],
        ['upgrade', 10, 'ws.test/'],
        ['upgrade', 2, 'ws.test/'],
      ],
    );
  });

  it('agree about answers that are shared, and about stale ones', async () => {
    const held = gate();
    let broken = false;
    const stale = { 'Cache-Control': 'max-age=1, stale-while-revalidate=10, stale-if-error=100' };
    origin.handle(async (request, response, index) => {
      if (request.url === '/held') await held.promise;
      if (broken) response.destroy();
      else await answer(200, request.url === '/held' ? fresh : stale, 'content')(request, response, index);
    });
    const leader = await begin('fwd=uri-miss', 200, '/held');
    await origin.received(1);
    const followers = [
      await begin('fwd=uri-miss;collapsed', 200, '/held'),
      await begin('fwd=uri-miss;collapsed', 200, '/held'),
    ];
    await turns();
    held.open();
    for (const client of [leader, ...followers]) assert.equal((await client.receive()).status, 200);
    await get('fwd=uri-miss', 200, '/stale');
    clock.advance(5000);
    await get('hit;stale', 200, '/stale', { 'Cache-Control': 'max-stale' });
    await get('hit;stale', 200, '/stale');
    await origin.received(3);
    await turns();
    broken = true;
    clock.advance(50_000);
    await get('fwd=stale;stale', 200, '/stale');
    const closed = await books.close();
    assert.equal(closed.sum('willis_collapsed_answers_total'), 2);
    assert.equal(closed.sum('willis_stale_answers_total'), 3);
    assert.deepEqual(closed.total('willis_first_byte_seconds', ['class']), {
      ...{ collapsed: 2, forwarded: 2, hit: 2, stale: 1 },
    });
  });

  it('agree about whatever comes, all at once, the configuration changing meanwhile', async () => {
    const seed = 20_251_121;
    const random = randomFrom(seed);
    origin.handle(async (request, response, index) => {
      const number = Number(/\d+/.exec(request.url)?.[0] ?? 0);
      const body = 'x'.repeat(number * 997);
      const fields =
        number % 3 === 0 ? { 'Cache-Control': 'no-store' } : { ETag: `"${number}"`, 'Cache-Control': 'max-age=2' };
      if (request.method === 'POST') response.end(request.body);
      else if (number % 4 === 1) await answerInPieces(200, fields, 'head', body, 'foot')(request, response, index);
      else await answer(number % 5 === 4 ? 404 : 200, fields, body)(request, response, index);
    });
    const traffic = Array.from({ length: 8 }, async (_, lane) => {
      const side = lane % 2 === 0 ? 'site' : 'proxy';
      const start = side === 'site' ? '' : `http://127.0.0.1:${relay.port}`;
      const client = await books.connect(side);
      for (let i = 0; i < 60; i++) {
        const { method, fields, body } = random.pick(requests);
        client.request(method, `${start}/ruled/${random.below(12)}`, { Host: 'site.test', ...fields }, body);
        books.enter(side, (await client.receive(method)).status);
        if (i % 7 === 0) clock.advance(300);
        if (lane === 0 && i % 10 === 0) await books.willis.reload({ cache: { negative: `${i + 1}s` } });
      }
      client.close();
    });
    await Promise.all(traffic);
    const closed = await books.close();
    assert.equal(closed.log.length, 480);
    assert.equal(closed.total('willis_config_reloads_total', ['result'])['applied'], 6);
    assert.deepEqual(closed.total('willis_upstream_bytes_total', ['direction']), {
      received: relay.back,
      sent: relay.forth,
    });
  });

  it('tell how long it took: to the first byte, in all, and what of it passed upstream', async () => {
    const second = gate();
    origin.handle(async (_request, response) => {
      clock.advance(120);
      response.writeHead(200, { ...fresh, 'Content-Length': '6' });
      response.write('one');
      await second.promise;
      clock.advance(2000);
      response.end('two');
    });
    const client = await begin('fwd=uri-miss', 200, '/slow');
    await client.receiveHead();
    await client.take(3);
    second.open();
    await client.take(3);
    await get('hit', 200, '/slow');
    const closed = await books.close();
    assert.deepEqual(
      closed.log.map(({ firstByteTime, duration, upstreamTime }) => [firstByteTime, duration, upstreamTime]),
      [
        [120, 2120, 120],
        [0, 0, null],
      ],
    );
    const [upstream] = closed.samples('willis_upstream_first_byte_seconds');
    assert.ok(typeof upstream?.value === 'object', 'no histogram');
    assert.deepEqual([upstream.value.count, upstream.value.sum], [1, 0.12]);
    const sums = closed
      .samples('willis_request_duration_seconds')
      .map(({ labels, value }) => [labels['class'], typeof value === 'object' ? value.sum : null]);
    assert.deepEqual(sums, [
      ['forwarded', 2.12],
      ['hit', 0],
    ]);
  });

  it("tell apart what is asked of the node itself, and the operator's side from the others", async () => {
    for (const [side, target, status] of [
      ['admin', '/healthz', 200],
      ['proxy', '/', 200],
      ['proxy', '/x', 404],
    ] as const) {
      books.expect(side, status === 404 ? 'not-found' : 'local', status);
      const client = await books.connect(side);
      client.request('GET', target, { Host: `127.0.0.1:${books.willis.port(side)}` });
      assert.equal((await client.receive()).status, status);
      client.close();
    }
    await ask('local', 200, 'OPTIONS', '/', { 'Max-Forwards': '0' });
    await books.close();
  });

  it('give a status that an origin server made up no label of its own', async () => {
    origin.handle((request, response) => {
      response.writeHead(Number(request.url.slice(1))).end();
    });
    for (const status of [200, 299, 298, 599, 799]) {
      const client = await begin('fwd=uri-miss', status, `/${status}`);
      assert.equal((await client.receive()).status, status);
      client.close();
    }
    const closed = await books.close();
    assert.deepEqual(
      closed.log.map(({ status }) => status),
      [200, 299, 298, 599, 799],
    );
    const byStatus = { '200': 1, '2xx': 2, '5xx': 1, '7xx': 1 };
    assert.deepEqual(closed.total('willis_requests_total', ['status']), byStatus);
    assert.deepEqual(closed.total('willis_upstream_requests_total', ['result']), byStatus);
  });

  it('see the store, the connections and the program', async () => {
    origin.handle(answer(200, fresh, 'x'.repeat(1000)));
    await get('fwd=uri-miss', 200, '/a');
    await get('hit', 200, '/a');
    assert.ok(
      (openNow(books, 'willis_store_bytes', 'memory') ?? 0) > 1000,
      String(openNow(books, 'willis_store_bytes', 'memory') ?? 0),
    );
    assert.equal(openNow(books, 'willis_store_limit_bytes', 'memory'), 256 * 1024 * 1024);
    assert.equal(openNow(books, 'willis_store_responses', 'memory'), 1);
    assert.equal(openNow(books, 'willis_store_evictions_total', 'memory'), 0);
    assert.equal(openNow(books, 'willis_upstream_origins'), 1);
    const closed = await books.close();
    assert.deepEqual(closed.total('willis_connections_total', ['side']), { site: 2 });
    assert.deepEqual(closed.samples('process_cpu_seconds_total'), [], 'this node is no process of its own');
  });
});

const requests: readonly { method: string; fields: Fields; body: string }[] = [
  { method: 'GET', fields: {}, body: '' },
  { method: 'GET', fields: {}, body: '' },
  { method: 'GET', fields: { Range: 'bytes=2-100' }, body: '' },
  { method: 'GET', fields: { Range: 'bytes=0-1,5-9,100000-' }, body: '' },
  { method: 'GET', fields: { 'If-None-Match': '"7"' }, body: '' },
  { method: 'GET', fields: { 'Cache-Control': 'no-cache' }, body: '' },
  { method: 'GET', fields: { 'Cache-Control': 'only-if-cached' }, body: '' },
  { method: 'GET', fields: { Via: '1.1 far', Expect: 'nothing' }, body: '' },
  { method: 'HEAD', fields: {}, body: '' },
  { method: 'POST', fields: { 'Content-Length': '4' }, body: 'four' },
  { method: 'POST', fields: { 'Transfer-Encoding': 'chunked' }, body: '4\r\nfour\r\n0\r\nTrailer: x\r\n\r\n' },
];

/** The same numbers for the same seed: a linear congruential generator. */
function randomFrom(seed: number): { below(bound: number): number; pick<T>(from: readonly T[]): T } {
  let state = seed;
  const below = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return { below, pick: (from) => from[below(from.length)]! };
}

/** One number, as it is now. */
function openNow({ willis }: KeptBooks, name: string, label?: string): number | undefined {
  const samples = willis.node.metrics.snapshot().families.find((family) => family.name === name)?.samples ?? [];
  const sample = samples.find(({ labels }) => label === undefined || Object.values(labels).includes(label));
  return typeof sample?.value === 'number' ? sample.value : undefined;
}

const hinted: OriginHandler = async (_request, response) => {
  response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
  await answer(200, fresh, 'hinted')(_request, response, 0);
};

/** Writes something that is no answer, and cuts the connection. */
const cutOff =
  (text = ''): OriginHandler =>
  (_request, response: ServerResponse) =>
    void response.socket?.end(text);
