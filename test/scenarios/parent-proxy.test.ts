import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { FakeClock } from '../support/fake-clock.js';
import { answer, inTurn } from '../support/origin-scripts.js';
import type { RawResponse } from '../support/raw-client.js';
import { startOrigin, type OriginHandler, type ScriptedOrigin } from '../support/scripted-origin.js';
import { startParent, type ParentOptions, type ScriptedParent } from '../support/scripted-parent.js';
import { TempDir } from '../support/temp-dir.js';
import { cacheStatusOf, outcomeOf, startWillis, type Sections, type Willis } from '../support/willis.js';

describe('a node behind a parent proxy', () => {
  const opened: (() => Promise<unknown>)[] = [];
  let certificates: Certificates;
  let directory: TempDir;
  let ca: string;
  let clock: FakeClock;

  before(async () => {
    certificates = await makeCertificates();
    directory = await TempDir.create();
    ca = await directory.write('ca.pem', certificates.ca);
  });
  after(() => directory.remove());
  beforeEach(() => {
    clock = new FakeClock();
  });
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });

  const origin = async (handler: OriginHandler, tls = false): Promise<ScriptedOrigin> => {
    const one = await startOrigin(handler, tls ? { tls: certificates.leaf, clock } : { clock });
    opened.push(() => one.close());
    return one;
  };
  const scripted = async (options: ParentOptions = {}): Promise<ScriptedParent> => {
    const one = await startParent(options);
    opened.push(() => one.close());
    return one;
  };
  const node = async (name: string, upstream: Sections, more: Sections = {}): Promise<Willis> => {
    const config = { node: { name }, upstream: { noProxy: [], ca: [ca], ...upstream }, ...more };
    const one = await startWillis({ clock, config });
    opened.push(() => one.stop());
    return one;
  };
  const behind = (parent: Willis | ScriptedParent): Sections => ({
    proxy: { url: 'url' in parent ? parent.url : `http://127.0.0.1:${parent.proxyPort}` },
  });

  /** A head office that reaches everything, and a branch office that reaches nothing but the head office. */
  const chain = async (connectPort = 443): Promise<{ office: Willis; branch: Willis }> => {
    const access = { connectPorts: [connectPort] };
    const office = await node('office', {}, { access });
    return { office, branch: await node('willis', behind(office), { access }) };
  };

  /** One request through the forward proxy of a node. */
  const ask = async (
    willis: Willis,
    method: string,
    target: string,
    fields: Readonly<Record<string, string>> = {},
    body = '',
  ): Promise<RawResponse> => {
    const client = await willis.connect(willis.proxyPort);
    const length: Record<string, string> = body === '' ? {} : { 'Content-Length': String(body.length) };
    client.request(method, target, { Host: 'x', ...length, ...fields }, body);
    const response = await client.receive(method);
    client.close();
    return response;
  };

  describe('that is a node itself', () => {
    it('both store, each answers from its store, and both are in Via and Cache-Status (RFC 9110 §7.6.3, RFC 9211 §2)', async () => {
      const server = await origin(answer(200, { 'Cache-Control': 'max-age=60' }, 'stored twice'));
      const { office, branch } = await chain();
      const first = await ask(branch, 'GET', server.url('/a'));
      assert.equal(first.body.toString(), 'stored twice');
      assert.match(first.get('via') ?? '', /^1\.1 office \(.*\), 1\.1 willis \(.*\)$/);
      assert.match(first.get('cache-status') ?? '', /^office; ?fwd=uri-miss.*, willis; ?fwd=uri-miss/);
      assert.match(String(server.last.headers.via), /^1\.1 willis \(.*\), 1\.1 office \(.*\)$/);
      assert.equal(outcomeOf(await ask(branch, 'GET', server.url('/a'))), 'hit');
      const other = await node('willis', behind(office));
      const second = await ask(other, 'GET', server.url('/a'));
      assert.match(second.get('cache-status') ?? '', /^office; ?hit.*, willis; ?fwd=uri-miss/);
      assert.equal(server.count(), 1);
    });

    it('what is stale at both is validated once by each', async () => {
      const server = await origin(
        inTurn(
          answer(200, { 'Cache-Control': 'max-age=60', ETag: '"1"' }, 'same'),
          answer(304, { 'Cache-Control': 'max-age=60', ETag: '"1"' }),
        ),
      );
      const { branch } = await chain();
      await ask(branch, 'GET', server.url('/a'));
      clock.advance(61_000);
      const again = await ask(branch, 'GET', server.url('/a'));
      assert.equal(again.body.toString(), 'same');
      assert.equal(cacheStatusOf(again)['fwd-status'], '304');
      assert.equal(server.last.headers['if-none-match'], '"1"');
      assert.equal(server.count(), 2);
    });

    it('methods, content and interim responses pass through both', async () => {
      const server = await origin((request, response) => {
        response.writeEarlyHints({ link: '</style.css>; rel=preload' }, () => {
          response.writeHead(200, { 'X-Method': request.method });
          response.end(request.method === 'HEAD' ? '' : `${request.method} ${request.url} ${request.body.length}`);
        });
      });
      const { branch } = await chain();
      const large = 'x'.repeat(1_000_000);
      for (const [method, body] of [
        ['POST', large],
        ['PUT', 'short'],
        ['DELETE', ''],
      ] as const) {
        const response = await ask(branch, method, server.url('/a'), {}, body);
        assert.equal(response.body.toString(), `${method} /a ${body.length}`);
        assert.deepEqual(
          response.informational.map(({ status }) => status),
          [103],
        );
      }
      assert.equal((await ask(branch, 'HEAD', server.url('/a'))).get('x-method'), 'HEAD');
      assert.equal((await ask(branch, 'OPTIONS', server.url('').replace(/\/$/, ''))).body.toString(), 'OPTIONS * 0');
    });

    it('a tunnel leads through the tunnel of the other (RFC 9110 §9.3.6)', async () => {
      const server = await origin(answer(200, {}, 'in the tunnel'), true);
      const { branch } = await chain(server.port);
      const client = await branch.connect(branch.proxyPort);
      client.request('CONNECT', server.authority, { Host: server.authority });
      assert.equal((await client.receive('CONNECT')).status, 200);
      const secure = await client.secure({ ca: certificates.ca, host: 'localhost', servername: 'localhost' });
      secure.request('GET', '/', { Host: server.authority });
      assert.equal((await secure.receive()).body.toString(), 'in the tunnel');
      secure.close();
    });

    it('its refusal of a tunnel becomes an error that tells its status, and none of its fields', async () => {
      const server = await origin(answer(200, {}, ''));
      const office = await node('office', {}, { access: { connectPorts: [1] } });
      const branch = await node('willis', behind(office), { access: { connectPorts: [server.port] } });
      const refused = await ask(branch, 'CONNECT', server.authority);
      assert.equal(refused.status, 502);
      const problem = JSON.parse(refused.body.toString()) as Record<string, string>;
      assert.equal(problem.code, 'parent-refused');
      assert.match(problem.detail ?? '', new RegExp(`answered 403 to CONNECT ${server.authority}`));
      assert.doesNotMatch(refused.get('via') ?? '', /office/);
    });

    for (const secure of [false, true]) {
      it(`${secure ? 'wss' : 'ws'} of a site passes in a tunnel of the parent proxy (RFC 6455 §4.1)`, async () => {
        const server: Server = secure ? createSecureServer(certificates.leaf) : createServer();
        const sockets = new WebSocketServer({ server });
        sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        opened.push(async () => {
          sockets.close();
          server.close();
          server.closeAllConnections();
          await once(server, 'close');
        });
        const { port } = server.address() as AddressInfo;
        const office = await node('office', {}, { access: { connectPorts: [port] } });
        const sites = [{ host: '*', origin: `${secure ? 'https' : 'http'}://127.0.0.1:${port}/` }];
        const branch = await node('willis', behind(office), { sites });
        const socket = new WebSocket(`ws://127.0.0.1:${branch.sitePort}/echo`);
        await once(socket, 'open');
        const large = Buffer.alloc(1_000_000, 7);
        socket.send(large);
        const [echoed] = (await once(socket, 'message')) as [Buffer];
        assert.deepEqual(echoed, large);
        socket.close(1000);
        const [code] = (await once(socket, 'close')) as [number];
        assert.equal(code, 1000);
      });
    }
  });

  describe('that is this very node', () => {
    const selfParented = async (more: Sections = {}): Promise<Willis> => {
      const one = await node('willis', {}, { access: { destinations: { allow: ['127.0.0.1'] } }, ...more });
      await one.reload({ upstream: behind(one) });
      return one;
    };

    it('a request comes back once, and is refused by 508 (RFC 9110 §7.6.3)', async () => {
      const server = await origin(answer(200, {}, ''));
      const one = await selfParented();
      const response = await ask(one, 'GET', server.url('/'));
      assert.equal(response.status, 508);
      assert.equal((JSON.parse(response.body.toString()) as { code: string }).code, 'loop');
      assert.equal(server.connections, 0);
    });

    it('a CONNECT, and one for an https origin server, comes back once and is refused', async () => {
      const server = await origin(answer(200, {}, ''), true);
      const one = await selfParented({
        access: { connectPorts: [server.port], destinations: { allow: ['127.0.0.1'] } },
        sites: [{ host: '*', origin: server.url('/') }],
      });
      const tunnel = await ask(one, 'CONNECT', server.authority);
      const fetched = await ask(one, 'GET', server.url('/'));
      for (const response of [tunnel, fetched]) {
        assert.equal(response.status, 502);
        assert.match(response.body.toString(), /answered 508 to CONNECT/);
      }
      assert.equal((await one.get('/')).status, 502);
      assert.equal(server.connections, 0);
    });

    it('a ring of two nodes is noticed as well', async () => {
      const server = await origin(answer(200, {}, ''));
      const access = { connectPorts: [server.port], destinations: { allow: ['127.0.0.1'] } };
      const one = await node('willis', {}, { access });
      const other = await node('other', behind(one), { access });
      await one.reload({ upstream: behind(other) });
      assert.equal((await ask(one, 'GET', server.url('/'))).status, 508);
      const refused = await ask(one, 'CONNECT', server.authority);
      assert.equal(refused.status, 502);
      assert.match(refused.body.toString(), /answered 502 to CONNECT/);
      assert.equal(server.connections, 0);
    });
  });

  it('passes on a 502 of the parent proxy as the answer that it is', async () => {
    const server = await origin(answer(200, {}, ''));
    const target = server.url('/');
    await server.close();
    const parent = await scripted();
    const response = await ask(await node('willis', behind(parent)), 'GET', target);
    assert.equal(response.status, 502);
    assert.equal(response.body.toString(), 'the parent cannot reach it');
    assert.match(response.get('via') ?? '', /^1\.1 parent, 1\.1 willis/);
    assert.equal(cacheStatusOf(response)['fwd-status'], '502');
  });

  it('answers what is stale where the parent proxy cannot be reached (RFC 5861 §4)', async () => {
    const server = await origin(answer(200, { 'Cache-Control': 'max-age=1, stale-if-error=600' }, 'old'));
    const parent = await scripted();
    const willis = await node('willis', behind(parent));
    await ask(willis, 'GET', server.url('/a'));
    clock.advance(10_000);
    await parent.close();
    const response = await ask(willis, 'GET', server.url('/a'));
    assert.deepEqual([response.status, response.body.toString()], [200, 'old']);
    assert.equal((await ask(willis, 'GET', server.url('/b'))).status, 502);
  });

  it('tells the failures of the parent proxy from those of origin servers, in answers and in the log', async () => {
    const parent = await scripted();
    const willis = await node('willis', behind(parent), { log: { level: 'warn', access: { format: 'off' } } });
    await parent.close();
    const json = await ask(willis, 'GET', 'http://www.example/');
    assert.equal((JSON.parse(json.body.toString()) as { code: string }).code, 'parent-unreachable');
    assert.match(json.get('proxy-status') ?? '', /error=destination_unavailable/);
    const page = (await ask(willis, 'GET', 'http://www.example/', { Accept: 'text/html' })).body.toString();
    assert.match(page, /<b>Parent proxy<\/b><span>failed here<\/span>/);
    assert.match(page, /<b>Server<\/b><small>www\.example<\/small><span>not reached<\/span>/);
    const events = willis.events.filter(({ msg }) => msg === 'the parent proxy failed');
    assert.equal(events.length, 2);
    assert.match(String(events[0]?.detail), /the parent proxy http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  });

  it('a 407 of the parent proxy is an error of this node: no challenge for the client, an event for the operator', async () => {
    const parent = await scripted({ authorization: 'Basic other' });
    const passwordFile = await directory.write('password', 'very secret\n');
    const proxy = { url: parent.url, user: 'branch', passwordFile };
    const access = { destinations: { allow: ['127.0.0.1'] } };
    const log = { level: 'debug', access: { format: 'off' } };
    const willis = await node('willis', { proxy }, { access, log });
    const encoded = Buffer.from('branch:very secret').toString('base64');
    const answers = [
      await ask(willis, 'GET', 'http://www.example/'),
      await ask(willis, 'GET', 'https://www.example/'),
      await ask(willis, 'CONNECT', 'www.example:443'),
    ];
    for (const response of answers) {
      assert.equal(response.status, 502);
      assert.equal(response.get('proxy-authenticate'), undefined);
      assert.match(response.get('proxy-status') ?? '', /error=proxy_configuration_error/);
      assert.match(response.body.toString(), /parent-authentication/);
      assert.doesNotMatch(response.body.toString(), new RegExp(`very secret|${encoded}`));
    }
    const events = willis.events.filter(({ code }) => code === 'parent-authentication');
    assert.equal(events.length, 3);
    for (const event of events)
      assert.match(String(event.detail), /refuses the user and the password: see upstream\.proxy/);
    assert.doesNotMatch(JSON.stringify(willis.events), new RegExp(`very secret|${encoded}`));
    assert.equal(parent.requests.at(0)?.headers['proxy-authorization'], `Basic ${encoded}`);
  });

  it('credentials of a client for this node do not reach the parent proxy', async () => {
    const server = await origin(answer(200, {}, ''));
    const parent = await scripted();
    const willis = await node('willis', behind(parent), { access: { connectPorts: [server.port] } });
    const fields = { 'Proxy-Authorization': 'Basic Y2xpZW50' };
    await ask(willis, 'GET', server.url('/').replace('127.0.0.1', 'www.example'), fields);
    await ask(willis, 'CONNECT', `www.example:${server.port}`, fields);
    assert.deepEqual(
      parent.requests.map(({ method, headers }) => [method, headers['proxy-authorization']]),
      [
        ['GET', undefined],
        ['CONNECT', undefined],
      ],
    );
  });

  it('the origin servers of sites are reached through it, but for those in noProxy', async () => {
    const server = await origin(answer(200, {}, 'site'));
    const parent = await scripted();
    const sites = [
      { host: 'far.test', origin: `http://far.example:${server.port}/` },
      { host: 'near.test', origin: server.url('/') },
    ];
    const willis = await node('willis', { ...behind(parent), noProxy: ['private'] }, { sites });
    for (const host of ['far.test', 'near.test']) {
      assert.equal((await willis.get('/', { Host: host })).body.toString(), 'site');
    }
    assert.deepEqual(
      parent.requests.map(({ url }) => url),
      [`http://far.example:${server.port}/`],
    );
  });
});
