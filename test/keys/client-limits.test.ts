import assert from 'node:assert/strict';
import { gate } from '../support/gate.js';
import { answer } from '../support/origin-scripts.js';
import type { RawClient } from '../support/raw-client.js';
import { startWillis, type Sections, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

const GET = 'GET / HTTP/1.1\r\nHost: site.test\r\n\r\n';

describe('the keys of what one client may take', () => {
  let willis: Willis;

  afterEach(() => willis.stop());

  const start = async (config: Sections): Promise<void> => {
    willis = await startWillis({ config });
    willis.serve(answer(200, { 'Cache-Control': 'max-age=1000' }, 'ok'));
  };

  const limit = async (limits: Sections): Promise<void> => {
    await willis.reload({ limits });
  };

  /** What somebody is answered who comes by a connection of his own, which he keeps. */
  const come = async (as = ''): Promise<number> => (await arrive(as)).status;

  async function arrive(as = ''): Promise<{ client: RawClient; status: number }> {
    const client = await willis.connect();
    client.send(`${as}${GET}`);
    return { client, status: (await client.receive()).status };
  }

  async function times(count: number, act: () => Promise<number>): Promise<number[]> {
    const statuses: number[] = [];
    for (let i = 0; i < count; i++) statuses.push(await act());
    return statuses;
  }

  const line = (address: string): string => `PROXY TCP${address.includes(':') ? 6 : 4} ${address} ${address} 1 80\r\n`;
  const behindFront = { site: { address: '127.0.0.1:0', proxyProtocol: ['127.0.0.1'] } };

  flips('limits.connections', 'so many are let in at a time, and one more when it is raised', async () => {
    await start({ limits: { connections: 2 } });
    assert.deepEqual(await times(3, come), [200, 200, 503]);
    await limit({ connections: 3 });
    assert.deepEqual(await times(2, come), [200, 503]);
  });

  flips('limits.perClientConnections', 'of one client so many are let in, and one more when it is raised', async () => {
    await start({ limits: { perClientConnections: 2 } });
    assert.deepEqual(await times(3, come), [200, 200, 429]);
    await limit({ perClientConnections: 3 });
    assert.deepEqual(await times(2, come), [200, 429]);
  });

  flips('limits.perClientRate', 'so many requests a second, or any number', async () => {
    await start({ limits: { perClientRate: 2 } });
    const { client } = await arrive();
    const ask = async (): Promise<number> => {
      client.send(GET);
      return (await client.receive()).status;
    };
    assert.deepEqual(await times(3, ask), [200, 429, 429]);
    willis.clock.advance(500);
    assert.deepEqual(await times(2, ask), [200, 429]);
    await limit({ perClientRate: null });
    assert.deepEqual(await times(5, ask), [200, 200, 200, 200, 200]);
  });

  flips('limits.clientPrefix.ipv4', 'neighbours are clients of their own, or one together', async () => {
    await start({ listen: behindFront, limits: { perClientConnections: 1 } });
    assert.equal(await come(line('192.0.2.1')), 200);
    assert.equal(await come(line('192.0.2.2')), 200);
    await limit({ clientPrefix: { ipv4: 24 } });
    assert.equal(await come(line('192.0.2.3')), 429);
    assert.equal(await come(line('192.0.3.3')), 200);
  });

  flips('limits.clientPrefix.ipv6', 'a network is one client, or each of its hosts', async () => {
    await start({ listen: behindFront, limits: { perClientConnections: 1 } });
    assert.equal(await come(line('2001:db8::1')), 200);
    assert.equal(await come(line('2001:db8::2')), 429);
    await limit({ clientPrefix: { ipv6: 128 } });
    assert.equal(await come(line('2001:db8::2')), 200);
    assert.equal(await come(line('2001:db8::2')), 429);
  });

  flips(
    'listener.proxyProtocol',
    'whether connections of a peer begin with a header of the PROXY protocol',
    async () => {
      await start({});
      assert.equal(await come(line('192.0.2.1')), 400);
      assert.equal(await come(), 200);
      await willis.reload({ listen: behindFront });
      assert.equal(await come(line('192.0.2.1')), 200);
      const without = await willis.connect();
      without.send(GET);
      assert.equal((await without.rest()).length, 0);
      await willis.reload({ listen: { site: { address: '127.0.0.1:0', proxyProtocol: ['192.0.2.0/24'] } } });
      assert.equal(await come(), 200);
    },
  );

  flips('limits.bodyRate', 'content may come at any rate, or has to come faster', async () => {
    // looks at its connections every 10 ms
    const timing = { headerTimeout: '40ms', bodyTimeout: '10s' };
    await start({ limits: { ...timing, bodyRate: 0 } });
    const client = await willis.connect();
    client.send('POST / HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1000\r\n\r\n');
    const answered = gate();
    const isAnswered = (): boolean => answered.isOpen;
    const status = client.receive().then((response) => {
      answered.open();
      return response.status;
    });
    const second = async (): Promise<void> => {
      client.send('x');
      willis.clock.advance(1000);
      await new Promise((resolve) => setTimeout(resolve, 30));
    };
    for (let i = 0; i < 30; i++) await second();
    assert.equal(isAnswered(), false);
    await limit({ bodyRate: 100 });
    for (let i = 0; i < 200 && !isAnswered(); i++) await second();
    assert.equal(await status, 408);
  });
});
