import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { answer } from '../support/origin-scripts.js';
import type { RawClient } from '../support/raw-client.js';
import { startOrigin, type ScriptedOrigin } from '../support/scripted-origin.js';
import { startParent, type ParentOptions, type ScriptedParent } from '../support/scripted-parent.js';
import { TempDir } from '../support/temp-dir.js';
import { startWillis, type Sections, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('the keys of the parent proxy and of limits towards origin servers', () => {
  let willis: Willis;
  let opened: { close(): Promise<void> }[];
  let directory: TempDir;

  beforeEach(async () => {
    opened = [];
    directory = await TempDir.create();
  });
  afterEach(async () => {
    await willis.stop();
    for (const one of opened) await one.close();
    await directory.remove();
  });

  const start = async (upstream: Sections, more: Sections = {}): Promise<void> => {
    const origin = await startOrigin(answer(200, { 'Cache-Control': 'no-store' }, 'ok'));
    const access = { connectPorts: [origin.port], destinations: { allow: ['private'] } };
    willis = await startWillis({ origin, config: { access, upstream: { noProxy: [], ...upstream }, ...more } });
  };
  const parent = async (options: ParentOptions = {}): Promise<ScriptedParent> => {
    const one = await startParent(options);
    opened.push(one);
    return one;
  };
  /** Status of what the forward proxy answers to a request for the origin server under that name. */
  const fetched = async (host: string, { port }: ScriptedOrigin = willis.origin): Promise<number> => {
    const client = await willis.connect(willis.proxyPort);
    client.request('GET', `http://${host}:${port}/`, { Host: host });
    const { status } = await client.receive();
    client.close();
    return status;
  };

  flips('upstream.proxy', 'requests and tunnels go through the parent proxy, or directly', async () => {
    const proxy = await parent();
    await start({});
    const tunnel = async (): Promise<RawClient> => {
      const client = await willis.connect(willis.proxyPort);
      client.request('CONNECT', willis.origin.authority, { Host: 'x' });
      assert.equal((await client.receive('CONNECT')).status, 200);
      return client;
    };
    await fetched('127.0.0.1');
    const before = await tunnel();
    assert.equal(proxy.requests.length, 0);
    await willis.reload({ upstream: { proxy: { url: proxy.url } } });
    await fetched('127.0.0.1');
    await tunnel();
    assert.deepEqual(
      proxy.requests.map(({ method }) => method),
      ['GET', 'CONNECT'],
    );
    await willis.reload({ upstream: { proxy: null } });
    await fetched('127.0.0.1');
    assert.equal(proxy.requests.length, 2);
    before.request('GET', '/', { Host: 'x' });
    assert.equal((await before.receive()).status, 200);
  });

  flips('parent.url', 'another parent proxy is asked', async () => {
    const [one, other] = [await parent(), await parent()];
    await start({ proxy: { url: one.url } });
    await fetched('127.0.0.1');
    await willis.reload({ upstream: { proxy: { url: other.url } } });
    await fetched('127.0.0.1');
    assert.deepEqual([one.requests.length, other.requests.length], [1, 1]);
  });

  flips('parent.user', 'the parent proxy is told another user', async () => {
    const proxy = await parent();
    const passwordFile = await directory.write('password', 'secret\n');
    await start({ proxy: { url: proxy.url, user: 'one', passwordFile } });
    await fetched('127.0.0.1');
    await willis.reload({ upstream: { proxy: { user: 'other' } } });
    await fetched('127.0.0.1');
    assert.deepEqual(
      proxy.requests.map(({ headers }) => headers['proxy-authorization']),
      [basic('one:secret'), basic('other:secret')],
    );
  });

  flips('parent.passwordFile', 'the parent proxy is told another password, also of the same file', async () => {
    const proxy = await parent({ authorization: basic('user:second') });
    const first = await directory.write('first', 'first');
    await start({ proxy: { url: proxy.url, user: 'user', passwordFile: first } });
    assert.equal(await fetched('127.0.0.1'), 502);
    await willis.reload({ upstream: { proxy: { passwordFile: await directory.write('second', 'second\n') } } });
    assert.equal(await fetched('127.0.0.1'), 200);
    proxy.demand(basic('user:third'));
    assert.equal(await fetched('127.0.0.1'), 502);
    await directory.write('second', 'third\n');
    await willis.reload({});
    assert.equal(await fetched('127.0.0.1'), 200);
  });

  flips('upstream.noProxy', 'what it names is reached directly', async () => {
    const proxy = await parent();
    await start({ proxy: { url: proxy.url } });
    const through = async (host: string): Promise<boolean> => {
      const before = proxy.requests.length;
      await fetched(host);
      return proxy.requests.length > before;
    };
    const seen = async (): Promise<boolean[]> => [await through('127.0.0.1'), await through('localhost')];
    assert.deepEqual(await seen(), [true, true]);
    await willis.reload({ upstream: { noProxy: ['private'] } });
    assert.deepEqual(await seen(), [false, false]);
    await willis.reload({ upstream: { noProxy: ['127.0.0.2', '*.example.org', 'localhost'] } });
    assert.deepEqual(await seen(), [true, false]);
  });

  flips('upstream.origins', 'so many origin servers have open connections', async () => {
    await start({ origins: 1 });
    const other = await startOrigin(answer(200, { 'Cache-Control': 'no-store' }, 'ok'));
    opened.push(other);
    const connections = async (): Promise<number> => {
      const before = willis.origin.connections + other.connections;
      for (const one of [willis.origin, other, willis.origin, other]) await fetched('127.0.0.1', one);
      return willis.origin.connections + other.connections - before;
    };
    assert.equal(await connections(), 4);
    await willis.reload({ upstream: { origins: 2 } });
    assert.equal(await connections(), 2);
  });

  flips(
    'limits.tunnels',
    'so many tunnels and WebSockets of all sides are open, and none beyond is dialled',
    async () => {
      await start({}, { limits: { tunnels: 2, drainTimeout: '1s' } });
      const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
      await once(sockets, 'listening');
      const { port } = sockets.address() as { port: number };
      await willis.reload({ sites: [{ host: '*', origin: `http://127.0.0.1:${port}/` }] });
      const tunnel = async (): Promise<RawClient> => {
        const client = await willis.connect(willis.proxyPort);
        client.request('CONNECT', willis.origin.authority, { Host: 'x' });
        return client;
      };
      const webSocket = new WebSocket(`ws://127.0.0.1:${willis.sitePort}/`);
      await once(webSocket, 'open');
      const first = await tunnel();
      assert.equal((await first.receive('CONNECT')).status, 200);
      const refused = await (await tunnel()).receive();
      assert.equal(refused.status, 503);
      assert.equal(refused.get('retry-after'), '5');
      assert.match(refused.body.toString(), /too-busy/);
      const second = new WebSocket(`ws://127.0.0.1:${willis.sitePort}/`);
      const [error] = (await once(second, 'error')) as [Error];
      assert.match(error.message, /503/);
      assert.deepEqual([willis.origin.connections, sockets.clients.size], [1, 1]);
      await willis.reload({ limits: { tunnels: 3 } });
      const third = await tunnel();
      assert.equal((await third.receive('CONNECT')).status, 200);
      await willis.reload({ limits: { tunnels: 2 } });
      first.close();
      third.close();
      webSocket.close();
      await once(webSocket, 'close');
      for (let status = 503; status === 503;) status = (await (await tunnel()).receive('CONNECT')).status;
      sockets.close();
    },
  );
});
