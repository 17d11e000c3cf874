import assert from 'node:assert/strict';
import { answer } from '../support/origin-scripts.js';
import { RawClient } from '../support/raw-client.js';
import { startWillis, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

describe('the keys of access', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
    willis.serve(answer(200, { 'Cache-Control': 'no-store' }, 'content'));
  });
  afterEach(() => willis.stop());

  const proxied = async (method: string, target: string): Promise<number> => {
    const client = await RawClient.connect(willis.proxyPort);
    client.request(method, target, { Host: willis.origin.authority });
    const { status } = await client.receive(method);
    client.close();
    return status;
  };

  flips('access.clients', 'who may use the forward proxy', async () => {
    assert.equal(await proxied('GET', willis.origin.url('/')), 200);
    await willis.reload({ access: { clients: ['192.0.2.0/24'] } });
    assert.equal(await proxied('GET', willis.origin.url('/')), 403);
    await willis.reload({ access: { clients: ['127.0.0.1'] } });
    assert.equal(await proxied('GET', willis.origin.url('/')), 200);
  });

  flips('access.connectPorts', 'where a tunnel may lead', async () => {
    assert.equal(await proxied('CONNECT', willis.origin.authority), 403);
    await willis.reload({ access: { connectPorts: [willis.origin.port] } });
    assert.equal(await proxied('CONNECT', willis.origin.authority), 200);
  });

  flips('access.destinations.allow', 'what is allowed although it is denied', async () => {
    assert.equal(await proxied('GET', willis.origin.url('/')), 200);
    await willis.reload({ access: { destinations: { allow: ['192.0.2.1'] } } });
    assert.equal(await proxied('GET', willis.origin.url('/')), 403);
  });

  flips('access.destinations.deny', 'what is refused, for requests and tunnels', async () => {
    await willis.reload({ access: { destinations: { allow: [] }, connectPorts: [willis.origin.port] } });
    assert.equal(await proxied('GET', willis.origin.url('/')), 403);
    await willis.reload({ access: { destinations: { deny: ['192.0.2.0/24'] } } });
    assert.equal(await proxied('GET', willis.origin.url('/')), 200);
    assert.equal(await proxied('CONNECT', willis.origin.authority), 200);
    await willis.reload({ access: { destinations: { deny: ['127.0.0.0/8'] } } });
    assert.equal(await proxied('GET', willis.origin.url('/')), 403);
    assert.equal(await proxied('CONNECT', willis.origin.authority), 403);
  });

  flips('access.trustedProxies', 'whose X-Forwarded-For is believed', async () => {
    const seen = async (): Promise<unknown> => {
      await willis.get('/', { 'X-Forwarded-For': '192.0.2.7' });
      return willis.origin.last.headers['x-forwarded-for'];
    };
    assert.equal(await seen(), '127.0.0.1');
    await willis.reload({ access: { trustedProxies: ['127.0.0.0/8'] } });
    assert.equal(await seen(), '192.0.2.7, 127.0.0.1');
  });
});
