import assert from 'node:assert/strict';
import { once } from 'node:events';
import { gate } from '../support/gate.js';
import { after, answer, answerInPieces } from '../support/origin-scripts.js';
import type { RawClient } from '../support/raw-client.js';
import { rawOrigin, type RawOrigin } from '../support/raw-origin.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { cacheStatusOf, outcomeOf, startWillis, turns, type Sections, type Willis } from '../support/willis.js';

const fresh = { 'Cache-Control': 'max-age=600' };

describe('a reload', () => {
  let willis: Willis;
  let raw: RawOrigin;
  let other: ScriptedOrigin;

  beforeEach(async () => {
    raw = await rawOrigin((socket, text) => void socket.write(text, 'latin1'));
    other = await startOrigin(answer(200, fresh, 'other'));
    willis = await startWillis({ config: { access: { connectPorts: [raw.port] } } });
    willis.serve(answer(200, fresh, 'first'));
  });
  afterEach(async () => {
    await willis.stop();
    await raw.close();
    await other.close();
  });

  /** Changes in every section, none of which stands in the way of what is under way. */
  const everySection = (): Sections => ({
    node: { name: 'renamed' },
    listen: { admin: '127.0.0.1:0' },
    access: { clients: ['127.0.0.1'], connectPorts: [443], destinations: { deny: ['127.0.0.1'], allow: [] } },
    limits: { headers: 50, headerTimeout: '3s', idleTimeout: '5s', bodyTimeout: '30s', tunnels: 1, connections: 1 },
    sites: [{ host: '*', origin: other.url('/'), sendHost: 'origin' }],
    upstream: { connections: 1, keepAlive: '1s', connectTimeout: '1s', firstByteTimeout: '1s' },
    cache: { memory: 0, maxDocument: '1KiB', variants: 1, collapseWait: '1ms' },
    log: { level: 'fatal' },
  });

  describe('is survived, whatever it changes,', () => {
    it('by a tunnel, with its bytes intact', async () => {
      const client = await willis.connect(willis.proxyPort);
      client.send(`CONNECT 127.0.0.1:${raw.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
      assert.equal((await client.receiveHead()).status, 200);
      const before = Buffer.alloc(100_000, 'before\r\n\r\n');
      client.send(before);
      await willis.reload(everySection());
      assert.ok((await client.take(before.length)).equals(before), 'other bytes');
      client.send('after\r\n\r\n');
      assert.equal((await client.take(9)).toString(), 'after\r\n\r\n');
      await willis.reload({ roles: [] });
      client.send('later\r\n\r\n');
      assert.equal((await client.take(9)).toString(), 'later\r\n\r\n');
    });

    it('by a WebSocket, with its bytes intact', async () => {
      const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
      const origin = await rawOrigin((socket, text) => void socket.write(text.startsWith('GET') ? head : text));
      await willis.reload({ sites: [{ host: '*', origin: `http://127.0.0.1:${origin.port}/` }] });
      const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
      const client = await willis.begin('GET', '/', { ...upgrade, 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' });
      assert.equal((await client.receiveHead()).status, 101);
      client.send('one\r\n\r\n');
      await willis.reload(everySection());
      client.send('two\r\n\r\n');
      assert.equal((await client.take(14)).toString(), 'one\r\n\r\ntwo\r\n\r\n');
      client.close();
      await origin.close();
    });

    it('by a slow download, with its bytes intact', async () => {
      const half = gate();
      const piece = Buffer.alloc(400_000, 'abcdefg');
      willis.serve(answerInPieces(200, { 'Content-Length': String(2 * piece.length) }, piece, half, piece));
      const client = await willis.begin('GET', '/');
      const head = await client.receiveHead();
      assert.ok((await client.take(1000)).equals(piece.subarray(0, 1000)), 'other bytes');
      await willis.reload(everySection());
      half.open();
      const rest = await client.take(Number(head.get('content-length')) - 1000);
      assert.ok(rest.equals(Buffer.concat([piece.subarray(1000), piece])), 'other bytes');
    });

    it('by a slow upload, with its bytes intact', async () => {
      willis.serve(answer(200, {}, 'received'));
      const client = await willis.connect();
      const piece = 'x'.repeat(50_000);
      client.request('POST', '/', { Host: 'site.test', 'Content-Length': String(2 * piece.length) }, piece);
      while (willis.origin.count() === 0) await turns(1);
      await willis.reload(everySection());
      client.send(piece);
      assert.equal((await client.receive('POST')).body.toString(), 'received');
      assert.equal(willis.origin.last.body.toString(), piece + piece);
      assert.equal(other.count(), 0);
    });

    it('by a connection between two requests, the second of which sees what is new', async () => {
      const client = await willis.connect();
      const ask = async (): Promise<string> => {
        client.request('GET', '/', { Host: 'site.test' });
        return (await client.receive()).body.toString();
      };
      assert.equal(await ask(), 'first');
      await willis.reload({ sites: [{ host: '*', origin: other.url('/') }], cache: { memory: 0 } });
      assert.equal(await ask(), 'other');
    });

    it('by what is stored, and by whoever waits for a forward that others began', async () => {
      await willis.get('/stored');
      const held = gate();
      willis.serve(after(held, answer(200, fresh, 'shared')));
      const leader = await willis.begin('GET', '/held');
      await willis.origin.received(2);
      await willis.reload({ limits: { headers: 100 }, cache: { negative: '1s' } });
      assert.equal(outcomeOf(await willis.get('/stored')), 'hit');
      const follower = await willis.begin('GET', '/held');
      await turns(100);
      held.open();
      for (const client of [leader, follower]) assert.equal((await client.receive()).body.toString(), 'shared');
      assert.equal(willis.origin.count(), 2);
    });
  });

  it('ends requests under way under the old configuration, and begins new ones under the new', async () => {
    const held = gate();
    willis.serve(after(held, answer(200, {}, 'old')));
    const old = await willis.begin('GET', '/a');
    await willis.origin.received(1);
    await willis.reload({ sites: [{ host: '*', origin: other.url('/') }], node: { name: 'renamed' } });
    assert.equal((await willis.get('/b')).body.toString(), 'other');
    held.open();
    const response = await old.receive();
    assert.equal(response.body.toString(), 'old');
    assert.match(String(willis.origin.last.headers.via), /^1\.1 willis /);
    assert.match(String(other.last.headers.via), /^1\.1 renamed /);
  });

  it('that leads elsewhere is not undone by joining a forward that goes the old way', async () => {
    willis.serve(() => undefined);
    const stuck = await willis.begin('GET', '/a');
    await willis.origin.received(1);
    await willis.reload({ sites: [{ host: '*', origin: other.url('/') }] });
    assert.equal((await willis.get('/a')).body.toString(), 'other');
    stuck.close();
  });

  it('of a head that has come halfway answers it under the new configuration', async () => {
    const client = await willis.connect();
    client.send('GET /a HTTP/1.1\r\nHost: site.test\r\n');
    await turns(20);
    await willis.reload({ sites: [{ host: '*', origin: other.url('/') }] });
    client.send('\r\n');
    assert.equal((await client.receive()).body.toString(), 'other');
  });

  describe('and the connections to origin servers', () => {
    const closings = (origin: ScriptedOrigin): Promise<unknown> => once(origin.last.message.socket, 'close');

    it('keeps them if it changes nothing about the way there', async () => {
      willis.serve(answer(200, {}, 'not stored'));
      await willis.get('/a');
      await willis.reload({ limits: { headers: 77 }, cache: { negative: '1s' }, log: { level: 'fatal' } });
      await willis.get('/b');
      assert.equal(willis.origin.connections, 1);
    });

    it('closes idle ones if it does, and makes new ones', async () => {
      await willis.get('/a');
      const closed = closings(willis.origin);
      await willis.reload({ upstream: { firstByteTimeout: '7s' } });
      await closed;
      await willis.get('/b');
      assert.equal(willis.origin.connections, 2);
    });

    it('closes one that is in use after its exchange', async () => {
      const half = gate();
      willis.serve(answerInPieces(200, { 'Content-Length': '6' }, 'abc', half, 'def'));
      const client = await willis.begin('GET', '/a');
      await client.receiveHead();
      await willis.reload({ upstream: { firstByteTimeout: '7s' } });
      const closed = closings(willis.origin);
      half.open();
      assert.equal((await client.take(6)).toString(), 'abcdef');
      await closed;
    });

    it('lets a request that has waited for another one go its old way afterwards', async () => {
      const [first, second] = [gate(), gate()];
      willis.serve(after(first, answer(200, { 'Cache-Control': 'no-store' }, 'first')));
      const leader = await willis.begin('GET', '/a');
      await willis.origin.received(1);
      const follower = await willis.begin('GET', '/a');
      await turns(50);
      await willis.reload({ upstream: { firstByteTimeout: '7s' } });
      willis.serve(after(second, answer(200, {}, 'second')));
      first.open();
      assert.equal((await leader.receive()).body.toString(), 'first');
      second.open();
      assert.equal((await follower.receive()).status, 200);
    });
  });

  describe('reports', () => {
    it('each key that has changed with its old and its new value', async () => {
      const { changes } = await willis.reload({
        limits: { headers: 7, idleTimeout: '2m' },
        sites: [{ host: 'a.test', origin: other.url('/') }],
        access: { connectPorts: [1, 2] },
      });
      assert.deepEqual(changes, [
        { key: 'access.connectPorts', from: [raw.port], to: [1, 2] },
        { key: 'limits.headers', from: 200, to: 7 },
        { key: 'limits.idleTimeout', from: '75s', to: '2m' },
        { key: 'sites[0].host', from: '*', to: 'a.test' },
        { key: 'sites[0].origin', from: willis.origin.url('/'), to: other.url('/') },
      ]);
    });

    it('nothing if nothing has changed, and changes nothing', async () => {
      await willis.get('/a');
      assert.deepEqual(await willis.reload({}), { changes: [] });
      willis.serve(answer(200, {}, 'b'));
      await willis.get('/b');
      assert.equal(willis.origin.connections, 1);
    });
  });

  it('waits for the one before: of two at once, the second changes what the first has made', async () => {
    const [first, second] = await Promise.all([
      willis.reload({ limits: { headers: 300 }, listen: { admin: '127.0.0.1:0' } }),
      willis.reload({ limits: { headers: 400 } }),
    ]);
    assert.deepEqual(
      first.changes.map(({ key }) => key),
      ['listen.admin', 'limits.headers'],
    );
    assert.deepEqual(second.changes, [
      { key: 'listen.admin', from: '127.0.0.1:0', to: null },
      { key: 'limits.headers', from: 300, to: 400 },
    ]);
    assert.equal(willis.adminPort, 0);
  });

  it('is refused by a node that does not run any more', async () => {
    await willis.stop();
    await assert.rejects(willis.reload({ limits: { headers: 300 } }), /the node is stopping/);
  });

  it('that was under way when the node was stopped leaves nothing open', async () => {
    const reloading = willis.reload({ listen: { admin: '127.0.0.1:0' } });
    await Promise.all([reloading.catch(() => undefined), willis.stop()]);
    assert.deepEqual(willis.node.listening, []);
  });

  it('of many, while requests go on, makes none fail', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => willis.connect()));
    let over = false;
    const askOn = async (client: RawClient, index: number): Promise<number> => {
      let count = 0;
      for (; !over; count++) {
        client.request('GET', `/${index}/${count % 5}`, { Host: 'site.test' });
        assert.equal((await client.receive()).status, 200);
      }
      return count;
    };
    const asking = clients.map(askOn);
    for (let i = 0; i < 40; i++) {
      const origin = i % 2 === 0 ? other : willis.origin;
      await willis.reload({
        sites: [{ host: '*', origin: origin.url('/') }],
        upstream: { connections: 1 + (i % 7) },
        cache: { memory: i % 3 === 0 ? 0 : '1MiB' },
        limits: { headers: 100 + i },
      });
      await turns(5);
    }
    over = true;
    for (const count of await Promise.all(asking)) assert.ok(count > 0, String(count));
  });

  it('that makes the store smaller evicts what no longer fits, and one that makes it larger keeps all', async () => {
    willis.serve(answer(200, fresh, Buffer.alloc(10_000, 'x')));
    for (const path of ['/a', '/b', '/c']) await willis.get(path);
    await willis.reload({ cache: { memory: '64MiB' } });
    for (const path of ['/a', '/b', '/c']) assert.equal(outcomeOf(await willis.get(path)), 'hit');
    await willis.reload({ cache: { memory: '30KiB' } });
    assert.equal(outcomeOf(await willis.get('/c')), 'hit');
    assert.equal(cacheStatusOf(await willis.get('/a'))['hit'], undefined);
  });
});
