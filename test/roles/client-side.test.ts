import assert from 'node:assert/strict';
import { answer } from '../support/origin-scripts.js';
import { rawOrigin, type RawOrigin } from '../support/raw-origin.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { startNode, stopNodes } from './node-fixture.js';

/** A port that was free a moment ago: one that has to stand in the configuration. */
async function freePort(): Promise<number> {
  const one = await startOrigin(answer(200));
  const { port } = one;
  await one.close();
  return port;
}

const allowed = { destinations: { allow: ['127.0.0.1'] } };

describe('the client side', () => {
  let origin: ScriptedOrigin;
  let raw: RawOrigin | undefined;

  beforeEach(async () => {
    origin = await startOrigin(answer(200, { 'Cache-Control': 'max-age=60' }, 'ok'));
  });
  afterEach(async () => {
    await stopNodes();
    await origin.close();
    await raw?.close();
    raw = undefined;
  });

  /** An origin that sends back what it is sent behind an empty line. */
  const echo = async (): Promise<RawOrigin> =>
    (raw = await rawOrigin((socket, text) => void socket.write(text, 'latin1')));

  describe('access', () => {
    it('clients outside access.clients are refused by 403, for requests, tunnels and upgrades', async () => {
      const node = await startNode({ access: { ...allowed, clients: ['192.0.2.0/24'], connectPorts: [origin.port] } });
      const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
      for (const [method, target, fields] of [
        ['GET', origin.url('/'), {}],
        ['GET', '/', {}],
        ['CONNECT', origin.authority, {}],
        ['GET', origin.url('/'), { ...upgrade, 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' }],
      ] as const) {
        const response = await node.ask('proxy', method, target, { Host: origin.authority, ...fields });
        assert.equal(response.status, 403, `${method} ${target}`);
        assert.match(response.body.toString(), /access\.clients/);
      }
      assert.equal(origin.connections, 0);
    });

    it('destinations in private ranges are refused by 403 unless allowed (RFC 9209 §2.3.5)', async () => {
      const node = await startNode({ access: { connectPorts: [origin.port] } });
      for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '[::1]']) {
        const authority = `${host}:${origin.port}`;
        for (const [method, target] of [
          ['GET', `http://${authority}/`],
          ['CONNECT', authority],
        ] as const) {
          const response = await node.ask('proxy', method, target, { Host: authority });
          assert.equal(response.status, 403, `${method} ${target}`);
          assert.match(response.get('proxy-status') ?? '', /^willis;error=destination_ip_prohibited/);
        }
      }
      assert.equal(origin.connections, 0);
    });

    it('the operator side is no destination, even where its address and port are allowed', async () => {
      const port = await freePort();
      const node = await startNode({
        listen: { proxy: '127.0.0.1:0', site: null, admin: `127.0.0.1:${port}` },
        access: { ...allowed, connectPorts: [port] },
      });
      const authority = `127.0.0.1:${port}`;
      for (const [method, target] of [
        ['GET', `http://${authority}/metrics`],
        ['CONNECT', authority],
      ] as const) {
        assert.equal((await node.ask('proxy', method, target, { Host: authority })).status, 403, method);
      }
    });
  });

  describe('CONNECT (RFC 9110 §9.3.6)', () => {
    it('to a port outside access.connectPorts is refused by 403', async () => {
      const node = await startNode({ access: allowed });
      const response = await node.ask('proxy', 'CONNECT', origin.authority, { Host: origin.authority });
      assert.equal(response.status, 403);
      assert.match(response.body.toString(), /access\.connectPorts/);
      assert.equal(origin.connections, 0);
    });

    it('opens a tunnel, whose 200 has no framing fields, and passes bytes in both directions', async () => {
      const { port } = await echo();
      const node = await startNode({ access: { ...allowed, connectPorts: [port] } });
      const client = await node.connect('proxy');
      client.send(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\n\r\nearly\r\n\r\n`);
      const head = await client.receiveHead();
      assert.equal(head.status, 200);
      assert.equal(head.get('content-length') ?? head.get('transfer-encoding'), undefined);
      assert.equal((await client.take(9)).toString(), 'early\r\n\r\n');
      client.send('later\0\r\n\r\n');
      assert.equal((await client.take(10)).toString(), 'later\0\r\n\r\n');
      client.halfClose();
      assert.equal((await client.rest()).length, 0);
      assert.equal(await client.closed, 'end');
    });

    it('to a server that cannot be reached is answered by the error, and the connection ends', async () => {
      const { port } = origin;
      await origin.close();
      const node = await startNode({ access: { ...allowed, connectPorts: [port] } });
      const client = await node.connect('proxy');
      client.request('CONNECT', `127.0.0.1:${port}`, { Host: 'x' });
      const response = await client.receive();
      assert.equal(response.status, 502);
      assert.match(response.get('proxy-status') ?? '', /error=connection_refused/);
      assert.equal((await client.rest()).length, 0);
    });

    it('is one line of the access log when it is over, with the bytes of both directions', async () => {
      const { port } = await echo();
      const node = await startNode({ access: { ...allowed, connectPorts: [port] } });
      const client = await node.connect('proxy');
      const asked = `CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\n\r\n`;
      const established = 'HTTP/1.1 200 Connection Established\r\n\r\n';
      client.send(`${asked}12345\r\n\r\n`);
      assert.equal((await client.take(established.length)).toString(), established);
      await client.take(9);
      client.halfClose();
      await client.closed;
      await node.ask('proxy', 'CONNECT', '127.0.0.1:1', { Host: 'x' });
      const [tunnel, refused, ...more] = await node.finalLog();
      assert.deepEqual(more, []);
      const { method, uri, status, bytesIn, bytesOut, contentOut, outcome, aborted } = tunnel!;
      assert.deepEqual([method, uri, status, outcome], ['CONNECT', `127.0.0.1:${port}`, 200, 'tunnel']);
      assert.deepEqual([bytesIn, bytesOut, contentOut, aborted], [asked.length + 9, established.length + 9, 9, null]);
      assert.deepEqual([refused!.uri, refused!.status, refused!.outcome], ['127.0.0.1:1', 403, 'port-refused']);
    });
  });

  describe('its own pages', () => {
    it('a browser that is given its address sees what it is and how to use it', async () => {
      const node = await startNode();
      const page = await node.ask('proxy', 'GET', '/', { Host: 'proxy.test:3128' });
      assert.equal(page.status, 200);
      assert.match(page.get('content-type') ?? '', /^text\/html/);
      assert.equal(page.get('cache-control'), 'no-store');
      const text = page.body.toString();
      assert.match(text, /proxy\.test:3128/);
      assert.match(text, /healthz/);
      const head = await node.ask('proxy', 'HEAD', '/', { Host: 'proxy.test:3128' });
      assert.equal(head.get('content-length'), String(page.body.length));
    });

    it('what the reader says of himself is shown as text', async () => {
      const page = await (await startNode()).ask('proxy', 'GET', '/', { Host: "a'b&c" });
      assert.doesNotMatch(page.body.toString(), /a'b&c/);
    });

    it('there is no other (404), and it can only be read (405 with Allow, RFC 9110 §15.5.6)', async () => {
      const node = await startNode();
      assert.equal((await node.ask('proxy', 'GET', '/other')).status, 404);
      const post = await node.ask('proxy', 'POST', '/', { 'Content-Length': '0' });
      assert.equal(post.status, 405);
      assert.equal(post.get('allow'), 'GET, HEAD');
    });
  });

  it('TRACE with Max-Forwards 0 ends here (RFC 9110 §7.6.2)', async () => {
    const node = await startNode({ access: allowed });
    const response = await node.ask('proxy', 'TRACE', origin.url('/a'), { 'Max-Forwards': '0' });
    assert.equal(response.get('content-type'), 'message/http');
    assert.match(response.body.toString(), new RegExp(`^TRACE ${origin.url('/a')} HTTP/1\\.1\r\n`));
    assert.equal(origin.count(), 0);
  });

  it('a request that comes back to it is refused by 508 (RFC 9110 §7.6.3)', async () => {
    const node = await startNode({ access: { destinations: { allow: ['127.0.0.1'] } } });
    const own = `http://127.0.0.1:${node.port('proxy')}`;
    await node.ask('proxy', 'GET', origin.url('/'));
    const via = String(origin.last.headers.via);
    assert.equal((await node.ask('proxy', 'GET', `${own}/`, { Via: via })).status, 508);
  });
});
