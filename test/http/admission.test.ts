import assert from 'node:assert/strict';
import fc from 'fast-check';
import { milliseconds } from '../../config/units.js';
import { CertificateSet } from '../../proxy/http/tls-certificates.js';
import { makeCertificates } from '../support/certificates.js';
import { FakeClock } from '../support/fake-clock.js';
import { RawClient, type RawResponse } from '../support/raw-client.js';
import { runCount } from '../support/run-count.js';
import { until } from '../support/waiting.js';
import { WatchedClock } from '../support/watched-clock.js';
import { closeServers, startServer, testLimits, text, type TestServer } from './test-server.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
/** The listener looks at its connections every 10 ms; with a clock that stands still nothing is ever late. */
const frequentLooks = { headerTimeout: milliseconds(40) };
const everybodyAnnounced = { announces: () => true, isExempt: () => false };

const limits = (changed: Partial<typeof testLimits>): typeof testLimits => ({ ...testLimits, ...changed });

const start = (
  changed: Partial<typeof testLimits>,
  options: Parameters<typeof startServer>[1] = {},
): Promise<TestServer> => startServer(() => text('abc'), { limits: limits(changed), ...options });

/** A connection that has been let in: its first request is answered. */
async function enter(on: TestServer): Promise<RawClient> {
  const client = await RawClient.connect(on.port);
  assert.equal((await ask(client)).status, 200);
  return client;
}

async function ask(client: RawClient): Promise<RawResponse> {
  client.send(GET);
  return client.receive();
}

describe('the connections of a listener', () => {
  afterEach(closeServers);

  describe('of one client (limits.perClientConnections)', () => {
    it('one more is answered with 429 before anything is parsed, and closed', async () => {
      const on = await start({ perClientConnections: 2 });
      const [first, second] = [await enter(on), await enter(on)];
      const third = await RawClient.connect(on.port);
      third.send('nonsense that nobody parses\n\n');
      const answer = await third.receive();
      assert.equal(answer.status, 429);
      assert.equal(answer.get('connection'), 'close');
      assert.equal(answer.get('retry-after'), '5');
      assert.match(answer.body.toString(), /too many connections/);
      assert.equal((await third.rest()).length, 0);
      assert.equal(on.server.counters.refused.client, 1);
      assert.equal(on.finished.length, 2);
      for (const client of [first, second]) assert.equal((await ask(client)).status, 200);
    });

    it('one that has gone makes room', async () => {
      const on = await start({ perClientConnections: 1 });
      const first = await enter(on);
      first.close();
      await until(() => on.server.connections === 0);
      await enter(on);
    });

    it('others are not concerned', async () => {
      const on = await start({ perClientConnections: 1 }, { clients: everybodyAnnounced });
      const line = (address: string): string => `PROXY TCP4 ${address} 192.0.2.1 1 80\r\n${GET}`;
      for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
        const client = await RawClient.connect(on.port);
        client.send(line(address));
        assert.equal((await client.receive()).status, 200);
      }
      const again = await RawClient.connect(on.port);
      again.send(line('192.0.2.3'));
      assert.equal((await again.receive()).status, 429);
    });

    it('those who are exempt have any number', async () => {
      const on = await start(
        { perClientConnections: 1 },
        { clients: { announces: () => false, isExempt: () => true } },
      );
      for (let i = 0; i < 5; i++) await enter(on);
    });

    it('a listener for TLS closes without a word', async () => {
      const { leaf } = await makeCertificates();
      const on = await start({ perClientConnections: 1 }, { tls: new CertificateSet([leaf]) });
      const tls = { rejectUnauthorized: false };
      const first = await RawClient.connect(on.port, { tls });
      await assert.rejects(RawClient.connect(on.port, { tls }));
      assert.equal((await ask(first)).status, 200);
      first.close();
      await until(() => on.server.connections === 0);
      assert.equal((await ask(await RawClient.connect(on.port, { tls }))).status, 200);
    });

    it('a limit that is changed holds for the next connection, another prefix for all', async () => {
      const on = await start({ perClientConnections: 1 }, { clients: everybodyAnnounced });
      const connect = async (address: string): Promise<number> => {
        const client = await RawClient.connect(on.port);
        client.send(`PROXY TCP4 ${address} 192.0.2.1 1 80\r\n${GET}`);
        return (await client.receive()).status;
      };
      assert.deepEqual([await connect('192.0.2.1'), await connect('192.0.2.1')], [200, 429]);
      on.server.configure({ ...on.settings, limits: limits({ perClientConnections: 2 }) });
      assert.deepEqual([await connect('192.0.2.1'), await connect('192.0.2.1')], [200, 429]);
      assert.equal(await connect('192.0.2.99'), 200);
      const byNetwork = { ipv4: 24, ipv6: 64 };
      on.server.configure({ ...on.settings, limits: limits({ perClientConnections: 4, clientPrefix: byNetwork }) });
      assert.deepEqual([await connect('192.0.2.50'), await connect('192.0.2.51')], [200, 429]);
    });

    it('are counted right however they come and go, and whatever is changed in between', async function () {
      this.timeout(60_000);
      const ways = fc.array(fc.constantFrom('idle', 'half', 'ended', 'reset', 'tunnel', 'broken', 'configure'), {
        minLength: 1,
        maxLength: 12,
      });
      const most = 4;
      const on = await start(
        { perClientConnections: most },
        {
          handler: {
            connect: (_, socket) =>
              void socket
                .on('error', () => undefined)
                .end('HTTP/1.1 200 OK\r\n\r\n')
                .resume(),
          },
        },
      );
      await fc.assert(
        fc.asyncProperty(ways, async (all) => {
          for (const [i, way] of all.entries()) {
            if (way === 'configure') {
              on.server.configure({
                ...on.settings,
                limits: limits({ perClientConnections: most, clientPrefix: { ipv4: 8 + (i % 24), ipv6: 64 } }),
              });
              continue;
            }
            const client = await RawClient.connect(on.port);
            if (way === 'half') client.send('GET / HT');
            else if (way === 'broken') client.send('GET\r\n\r\n');
            else if (way === 'tunnel') client.send('CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n');
            else client.send(GET);
            if (way === 'ended') client.halfClose();
            if (way !== 'half') await client.receiveHead();
            if (way === 'reset') client.reset();
            else client.close();
          }
          await until(() => on.server.connections === 0);
          const clients: RawClient[] = [];
          for (let i = 0; i < most; i++) clients.push(await enter(on));
          const oneMore = await RawClient.connect(on.port);
          assert.equal((await oneMore.receive()).status, 429);
          for (const client of [...clients, oneMore]) client.close();
          await until(() => on.server.connections === 0);
        }),
        { numRuns: runCount(25) },
      );
    });
  });

  describe('of all clients (limits.connections)', () => {
    it('one more is answered with 503 if nobody can be spared, and the others go on', async () => {
      const on = await start({ connections: 2 });
      const clients = [await RawClient.connect(on.port), await RawClient.connect(on.port)];
      for (const client of clients) client.send('GET / HTTP/1.1\r\n');
      await until(() => on.server.connections === 2);
      const third = await RawClient.connect(on.port);
      const answer = await third.receive();
      assert.equal(answer.status, 503);
      assert.equal(answer.get('connection'), 'close');
      assert.equal(on.server.counters.refused.full, 1);
      for (const client of clients) {
        client.send('Host: a\r\n\r\n');
        assert.equal((await client.receive()).status, 200);
      }
    });

    it('a connection that has been idle for a while is ended for a new one, the oldest first', async () => {
      const clock = new WatchedClock();
      const on = await start({ connections: 3, ...frequentLooks }, { clock });
      const [busy, idle, young] = [await RawClient.connect(on.port), await enter(on), await enter(on)];
      busy.send('POST / HTTP/1.1\r\nHost: a\r\n');
      await clock.looked();
      const another = await enter(on);
      assert.equal((await idle.rest()).length, 0);
      assert.equal(on.server.counters.madeRoom, 1);
      for (const client of [young, another]) assert.equal((await ask(client)).status, 200);
      busy.send('Content-Length: 0\r\n\r\n');
      assert.equal((await busy.receive()).status, 200);
    });

    it('a limit that is lowered takes idle connections away, and nothing else', async () => {
      const on = await start({ connections: 10, ...frequentLooks }, { clock: new FakeClock() });
      const clients: RawClient[] = [];
      for (let i = 0; i < 6; i++) clients.push(await enter(on));
      on.server.configure({ ...on.settings, limits: { ...on.settings.limits, connections: 2 } });
      await until(() => on.server.connections === 2);
      assert.equal(on.server.counters.refused.full, 0);
      on.server.configure({ ...on.settings, limits: { ...on.settings.limits, connections: 10 } });
      for (let i = 0; i < 6; i++) await enter(on);
    });

    it('connections over TLS that are over are counted no more', async () => {
      const { leaf } = await makeCertificates();
      const on = await start({ connections: 2 }, { tls: new CertificateSet([leaf]) });
      for (let i = 0; i < 100; i++) {
        const client = await RawClient.connect(on.port, { tls: { rejectUnauthorized: false } });
        assert.equal((await ask(client)).status, 200);
        if (i % 2 === 0) client.halfClose();
        else client.close();
        await until(() => on.server.connections === 0);
      }
      assert.equal(on.server.counters.accepted, 100);
    });

    it('a flood beyond it is refused at next to no cost, and leaves those who are in alone', async function () {
      this.timeout(30_000);
      const on = await start({ connections: 20 });
      const busy = await RawClient.connect(on.port);
      busy.send('GET / HTTP/1.1\r\n');
      const flood: RawClient[] = [];
      for (let i = 0; i < 2000; i++) {
        const client = await RawClient.connect(on.port);
        client.send('GET / HTTP/1.1\r\n');
        flood.push(client);
        assert.ok(on.server.connections <= 20 + 64, String(on.server.connections));
      }
      busy.send('Host: a\r\n\r\n');
      assert.equal((await busy.receive()).status, 200);
      await until(() => on.server.counters.refused.full === 1981);
      for (const client of flood) client.close();
      await until(() => on.server.connections <= 1);
      await enter(on);
    });
  });

  it('those who are told why they are refused have two seconds to read it and to go', async () => {
    const clock = new WatchedClock();
    const on = await start({ perClientConnections: 1, ...frequentLooks }, { clock });
    await enter(on);
    const stays = await RawClient.connect(on.port);
    assert.equal((await stays.receive()).status, 429);
    clock.advance(2000);
    await clock.looked();
    assert.equal(on.server.connections, 2);
    clock.advance(1);
    await until(() => on.server.connections === 1);
  });

  it('those who are told go on sending in vain: a little is dropped, then they are reset', async () => {
    const on = await start({ perClientConnections: 1 });
    await enter(on);
    const talks = await RawClient.connect(on.port);
    talks.send(Buffer.alloc(10_000_000));
    await until(() => on.server.connections === 1);
    assert.equal(await talks.closed, 'reset');
  });

  it('a flood of refusals is one event in the log', async () => {
    const clock = new WatchedClock();
    const on = await start({ perClientConnections: 1, ...frequentLooks }, { clock });
    const first = await enter(on);
    for (let i = 0; i < 100; i++) (await RawClient.connect(on.port)).close();
    await until(() => on.logged.length > 0);
    await clock.looked();
    assert.deepEqual(on.logged, ['connections were refused']);
    first.close();
  });
});
