import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { makeCertificates, writePem, type Certificates } from '../support/certificates.js';
import { gate } from '../support/gate.js';
import { after as held, answer } from '../support/origin-scripts.js';
import { rawOrigin } from '../support/raw-origin.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { startNode, stopNodes } from './node-fixture.js';

describe('a node', () => {
  let origin: ScriptedOrigin;

  beforeEach(async () => {
    origin = await startOrigin(answer(200, { 'Cache-Control': 'max-age=60' }, 'content'));
  });
  afterEach(async () => {
    await stopNodes();
    await origin.close();
  });

  const site = () => ({ sites: [{ host: '*', origin: origin.url('/') }] });

  describe('starting', () => {
    it('says where it listens, and opens the forward proxy for the role clientSide only', async () => {
      const node = await startNode({ ...site(), roles: [] });
      assert.deepEqual(
        node.node.listening.map(({ name }) => name),
        ['site', 'admin'],
      );
      await node.node.start();
      assert.equal((await node.ask('site', 'GET', '/')).status, 200);
    });

    it('fails when a port is taken, names the listener, and leaves nothing open', async () => {
      const [free, first] = [await startNode(), await startNode(site())];
      const port = free.port('proxy');
      await free.stop();
      const listen = { proxy: `127.0.0.1:${port}`, site: `127.0.0.1:${first.port('site')}`, admin: null };
      await assert.rejects(startNode({ listen }), { message: /^listen\.site: .*EADDRINUSE/ });
      const [error] = (await once(connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNREFUSED');
      assert.equal((await first.ask('site', 'GET', '/')).status, 200);
    });
  });

  describe('stopping', () => {
    it('lets a request under way be answered, and accepts no other', async () => {
      const answerable = gate();
      origin.handle(held(answerable, answer(200, {}, 'late')));
      const node = await startNode({ ...site(), limits: { drainTimeout: '20s' } });
      const [client, idle] = [await node.connect('site'), await node.connect('site')];
      const port = node.port('site');
      client.request('GET', '/', { Host: 'a.test' });
      await origin.received(1);
      const stopping = node.node.stop();
      assert.equal((await idle.rest()).length, 0);
      idle.close();
      const [error] = (await once(connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
      assert.equal(error.code, 'ECONNREFUSED');
      answerable.open();
      const response = await client.receive();
      assert.equal(response.body.toString(), 'late');
      assert.equal(response.get('connection'), 'close');
      client.close();
      await stopping;
      await node.node.stop();
    });

    it('ends tunnels after drainTimeout, and they are logged', async () => {
      const tunnelled = await rawOrigin((socket) => void socket.write('hello'));
      const access = { destinations: { allow: ['127.0.0.1'] }, connectPorts: [tunnelled.port] };
      const node = await startNode({ access, limits: { drainTimeout: '10ms' } });
      const client = await node.connect('proxy');
      client.send(`CONNECT 127.0.0.1:${tunnelled.port} HTTP/1.1\r\nHost: x\r\n\r\n\r\n\r\n`);
      await client.receiveHead();
      await client.take(5);
      await node.node.stop();
      const log = await node.finalLog();
      assert.deepEqual(
        log.map(({ outcome, contentOut }) => [outcome, contentOut]),
        [['tunnel', 5]],
      );
      await tunnelled.close();
    });
  });

  describe('writes one line an exchange', () => {
    it('with what the cache did, and the bytes of the content', async () => {
      const node = await startNode(site());
      for (const path of ['/a?b', '/a?b']) await node.ask('site', 'GET', path, { Host: 'a.test' });
      const log = await node.finalLog();
      assert.deepEqual(
        log.map(({ method, uri, status, outcome, aborted }) => [method, uri, status, outcome, aborted]),
        [
          ['GET', 'http://a.test/a?b', 200, 'fwd=uri-miss', null],
          ['GET', 'http://a.test/a?b', 200, 'hit', null],
        ],
      );
      assert.equal(log[0]!.client, '127.0.0.1');
    });

    it('also if the client went away', async () => {
      const answerable = gate();
      origin.handle(held(answerable, answer(200, {}, 'late')));
      const node = await startNode(site());
      const client = await node.connect('site');
      client.request('GET', '/', { Host: 'a.test' });
      await origin.received(1);
      client.reset();
      await origin.last.ended;
      answerable.open();
      const log = await node.finalLog();
      assert.deepEqual(
        log.map(({ uri, aborted }) => [uri, aborted]),
        [['http://a.test/', 'client']],
      );
    });

    it('also for an upgrade, when it is over, with the bytes of both directions (RFC 9110 §7.8)', async () => {
      const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
      const upgraded = await rawOrigin((socket, text) => void socket.write(text.startsWith('GET') ? head : text));
      const node = await startNode({ sites: [{ host: '*', origin: `http://127.0.0.1:${upgraded.port}/` }] });
      const client = await node.connect('site');
      const asked =
        'GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
      client.send(asked);
      const answered = await client.receiveHead();
      assert.equal(answered.status, 101);
      assert.match(answered.get('via') ?? '', /willis/);
      client.send('12345\r\n\r\n');
      assert.equal((await client.take(9)).toString(), '12345\r\n\r\n');
      client.halfClose();
      await client.closed;
      const [line, ...more] = await node.finalLog();
      assert.deepEqual(more, []);
      const { method, uri, status, outcome, bytesIn, contentOut } = line!;
      assert.deepEqual([method, uri, status, outcome], ['GET', 'http://a.test/chat', 101, 'upgrade']);
      assert.deepEqual([bytesIn, contentOut], [asked.length + 9, 9]);
      await upgraded.close();
    });
  });

  describe("the operator's listener", () => {
    it('says that the node is well, to GET and HEAD', async () => {
      const node = await startNode();
      const response = await node.ask('admin', 'GET', '/healthz');
      assert.deepEqual([response.status, response.body.toString()], [200, 'ok\n']);
      assert.equal(response.get('cache-control'), 'no-store');
      assert.equal((await node.ask('admin', 'HEAD', '/healthz')).get('content-length'), '3');
    });

    it('opens no tunnels', async () => {
      const node = await startNode();
      const post = await node.ask('admin', 'POST', '/healthz', { 'Content-Length': '0' });
      assert.deepEqual([post.status, post.get('allow')], [405, 'GET, HEAD']);
      assert.equal((await node.ask('admin', 'CONNECT', 'a.test:443')).status, 405);
    });
  });

  describe('with TLS', () => {
    let dir: TempDir;
    let certificates: [Certificates, Certificates];

    before(async () => {
      certificates = [await makeCertificates(), await makeCertificates()];
    });
    beforeEach(async () => {
      dir = await TempDir.create();
    });
    afterEach(() => dir.remove());

    const listening = async () => {
      const tls = await writePem(dir, certificates[0].leaf);
      const listen = { proxy: null, site: { address: '127.0.0.1:0', tls }, admin: null };
      return startNode({ ...site(), roles: [], listen });
    };
    const believing = ({ ca }: Certificates) => ({ tls: { ca, servername: 'localhost' } });

    it('its sites are https, and the origin server is told so (RFC 7239 §5.4)', async () => {
      const node = await listening();
      assert.equal(node.url('site').protocol, 'https:');
      const client = await node.connect('site', believing(certificates[0]));
      client.request('GET', '/', { Host: 'localhost' });
      assert.equal((await client.receive()).status, 200);
      assert.equal(origin.last.headers['x-forwarded-proto'], 'https');
    });

    it('an origin server is asked over TLS that is verified against upstream.ca (RFC 9110 §4.3.4)', async () => {
      const secure = await startOrigin(answer(200, {}, 'secret'), { tls: certificates[0].leaf });
      const sites = [{ host: '*', origin: secure.url('/'), sendHost: 'origin' }];
      const ca = await dir.write('ca.pem', certificates[0].ca);
      const trusting = await startNode({ sites, upstream: { ca: [ca] } });
      assert.equal((await trusting.ask('site', 'GET', '/')).body.toString(), 'secret');
      const other = await dir.write('other.pem', certificates[1].ca);
      const doubting = await startNode({ sites, upstream: { ca: [other] } });
      const refused = await doubting.ask('site', 'GET', '/');
      assert.equal(refused.status, 502);
      assert.match(refused.get('proxy-status') ?? '', /error=tls_certificate_error/);
      await secure.close();
    });
  });
});
