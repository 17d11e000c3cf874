import assert from 'node:assert/strict';
import { answer } from '../support/origin-scripts.js';
import type { RawClient, RawResponse } from '../support/raw-client.js';
import { startWillis, type Sections, type Willis } from '../support/willis.js';

describe('limits of one client on the sides of a node', () => {
  let willis: Willis;

  afterEach(() => willis.stop());

  const start = async (config: Sections): Promise<void> => {
    willis = await startWillis({ config });
    willis.serve(answer(200, { 'Cache-Control': 'max-age=1000' }, 'ok'));
  };

  const ask = async (
    port: number,
    target: string,
    fields: Readonly<Record<string, string>> = {},
    method = 'GET',
  ): Promise<RawResponse> => {
    const client = await willis.connect(port);
    client.request(method, target, { Host: 'site.test', ...fields });
    const response = await client.receive(method);
    client.close();
    return response;
  };

  it('a request too many is answered with 429, Retry-After and the code of the error table', async () => {
    await start({ limits: { perClientRate: 1 } });
    assert.equal((await willis.get('/')).status, 200);
    const refused = await willis.get('/');
    assert.equal(refused.status, 429);
    assert.equal(refused.get('retry-after'), '1');
    assert.match(refused.get('proxy-status') ?? '', /http_request_denied/);
    assert.equal((JSON.parse(refused.body.toString()) as { code: string }).code, 'rate-limited');
    assert.equal(willis.origin.count(), 1);
  });

  it('the connection stays usable, also behind content that nobody read', async () => {
    await start({ limits: { perClientRate: 1 } });
    const client = await willis.connect();
    const post = (): void => client.request('POST', '/', { Host: 'site.test', 'Content-Length': '3' }, 'abc');
    post();
    assert.equal((await client.receive()).status, 200);
    post();
    assert.equal((await client.receive()).status, 429);
    willis.clock.advance(1000);
    post();
    assert.equal((await client.receive()).status, 200);
    assert.equal(willis.origin.count(), 2);
  });

  it('a tunnel is one request, however much passes through it, and so is one that is refused', async () => {
    await start({ limits: { perClientRate: 2 } });
    await willis.reload({ access: { connectPorts: [willis.origin.port] } });
    const { authority } = willis.origin;
    const tunnel = async (): Promise<{ client: RawClient; status: number }> => {
      const client = await willis.connect(willis.proxyPort);
      client.request('CONNECT', authority, { Host: authority });
      return { client, status: (await client.receive('CONNECT')).status };
    };
    const { client, status } = await tunnel();
    assert.equal(status, 200);
    for (let i = 0; i < 5; i++) {
      client.request('GET', '/', { Host: authority });
      assert.equal((await client.receive()).status, 200);
    }
    assert.equal((await tunnel()).status, 200);
    assert.equal((await tunnel()).status, 429);
    willis.clock.advance(500);
    assert.equal((await tunnel()).status, 200);
  });

  it('an upgrade is one request, also where it becomes an ordinary one', async () => {
    await start({ limits: { perClientRate: 2 } });
    const webSocket = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
    const statuses = async (port: number): Promise<number[]> => {
      willis.clock.advance(1000);
      const all: number[] = [];
      for (let i = 0; i < 3; i++) all.push((await ask(port, '/', webSocket)).status);
      return all;
    };
    // the origin server knows no WebSocket and says 200; the proxy itself shows its help page
    assert.deepEqual(await statuses(willis.sitePort), [200, 200, 429]);
    assert.deepEqual(await statuses(willis.proxyPort), [200, 200, 429]);
  });

  it('behind trusted proxies requests count for the forwarded client, and connections for nobody', async () => {
    const one = { perClientRate: 1, perClientConnections: 1 };
    await start({ access: { trustedProxies: ['127.0.0.1'] }, limits: one });
    const as = async (forwarded: string): Promise<number> => {
      const client = await willis.connect();
      client.request('GET', '/', { Host: 'site.test', 'X-Forwarded-For': forwarded });
      return (await client.receive()).status;
    };
    assert.deepEqual([await as('192.0.2.1'), await as('192.0.2.1'), await as('192.0.2.2')], [200, 429, 200]);
    // what a client says of itself does not make it another one
    assert.deepEqual([await as('198.51.100.1, 192.0.2.3'), await as('198.51.100.2, 192.0.2.3')], [200, 429]);
  });

  it('without trusted proxies nobody is believed', async () => {
    await start({ limits: { perClientRate: 1 } });
    const statuses: number[] = [];
    for (const forwarded of ['192.0.2.1', '192.0.2.2']) {
      statuses.push((await willis.get('/', { 'X-Forwarded-For': forwarded })).status);
    }
    assert.deepEqual(statuses, [200, 429]);
  });

  it('whoever sits at the machine can always look what is going on', async () => {
    await start({ listen: { admin: '127.0.0.1:0' }, limits: { perClientRate: 1, perClientConnections: 1 } });
    const clients: RawClient[] = [];
    for (let i = 0; i < 5; i++) {
      const client = await willis.connect(willis.adminPort);
      clients.push(client);
      client.request('GET', '/healthz', { Host: 'localhost' });
      assert.equal((await client.receive()).status, 200);
    }
  });

  it('the sides do not count for each other', async () => {
    await start({ limits: { perClientRate: 1 } });
    assert.equal((await ask(willis.sitePort, '/')).status, 200);
    assert.equal((await ask(willis.proxyPort, willis.origin.url('/'), { Host: willis.origin.authority })).status, 200);
  });
});
