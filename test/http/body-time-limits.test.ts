import assert from 'node:assert/strict';
import { bytes, milliseconds } from '../../config/units.js';
import { readAll } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import type { Request, Response } from '../../proxy/http/message.js';
import { CertificateSet } from '../../proxy/http/tls-certificates.js';
import { makeCertificates } from '../support/certificates.js';
import { gate } from '../support/gate.js';
import { RawClient } from '../support/raw-client.js';
import { WatchedClock } from '../support/watched-clock.js';
import { bodyFrom, closeServers, startServer, testLimits, text, type TestServer } from './test-server.js';

const LIMIT = bytes(100_000_000);
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n';
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

const limits = (bodyRate: number): typeof testLimits => ({
  ...testLimits,
  // makes the server look every 10 ms
  headerTimeout: milliseconds(40),
  bodyRate: bytes(bodyRate),
});

const swallow = async (request: Request): Promise<Response> => {
  assert.ok(request.body !== null, 'no body');
  return text(String((await readAll(request.body, LIMIT)).length));
};

/** Begins a long upload. */
async function post(on: TestServer): Promise<RawClient> {
  const client = await RawClient.connect(on.port);
  client.send(POST);
  return client;
}

describe('the time limits of bodies (limits.bodyTimeout of 10 s)', () => {
  const clock = new WatchedClock();
  const start = (bodyRate: number, request = swallow, options = {}): Promise<TestServer> =>
    startServer(request, { limits: limits(bodyRate), clock, ...options });

  afterEach(closeServers);

  it('content that comes more slowly than limits.bodyRate is refused with 408', async () => {
    const on = await start(100);
    const client = await post(on);
    let seconds = 0;
    // a busy system may deliver what was sent in two seconds in one of them
    for (; on.refused.length === 0; seconds++) {
      client.send('x'.repeat(50));
      await clock.second();
    }
    const answer = await client.receive();
    assert.equal(answer.status, 408);
    assert.equal(answer.get('connection'), 'close');
    assert.ok(seconds >= 10 && seconds <= 12, `${seconds} seconds`);
    assert.equal(on.server.counters.timeouts.content, 1);
  });

  it('content that comes at more than that rate is let through, however long it takes', async () => {
    const on = await start(100);
    const client = await post(on);
    // more than the rate: a busy system may deliver what was sent in one second only in the next
    for (let i = 0; i < 50; i++) {
      client.send('x'.repeat(200));
      await clock.second();
    }
    client.send('x'.repeat(100_000 - 50 * 200));
    assert.equal((await client.receive()).body.toString(), '100000');
  });

  it('with a rate of 0 a byte now and then is enough, and none for so long is not', async () => {
    const on = await start(0);
    const client = await post(on);
    for (let i = 0; i < 5; i++) {
      client.send('x');
      for (let second = 0; second < 9; second++) await clock.second();
    }
    assert.equal(on.refused.length, 0);
    for (let second = 0; second < 4; second++) await clock.second();
    assert.equal((await client.receive()).status, 408);
  });

  it('content that nobody takes is not slow: the reader further in is', async () => {
    const goOn = gate();
    const on = await start(100, async (request) => {
      await goOn.promise;
      return swallow(request);
    });
    const client = await post(on);
    client.send('x'.repeat(99_000));
    for (let second = 0; second < 30; second++) await clock.second();
    goOn.open();
    await clock.second();
    client.send('x'.repeat(1000));
    assert.equal((await client.receive()).body.toString(), '100000');
  });

  it('content that is only discarded has to come as fast, or the connection ends', async () => {
    const on = await start(100, () => Promise.resolve(text('no', 403)));
    const client = await post(on);
    assert.equal((await client.receive()).status, 403);
    for (let second = 0; second < 12; second++) {
      client.send('x');
      await clock.second();
    }
    assert.equal((await client.rest()).length, 0);
    assert.equal(on.server.counters.timeouts.content, 1);
  });

  describe('whoever reads an answer', () => {
    const chunk = Buffer.alloc(65_536);
    /** In seconds: the limits are kept over 10 of them. */
    const longEnough = 40;
    const endless = (): Promise<Response> =>
      Promise.resolve({ status: 200, reason: '', fields: Fields.none, body: bodyFrom(() => chunk) });

    /** Reads about so much each second, until the server has had enough or for a while. @returns the seconds */
    async function read(client: RawClient, on: TestServer, perSecond: number): Promise<number> {
      client.send(GET);
      await client.receiveHead();
      for (let second = 0; second < longEnough; second++) {
        if (on.finished.length > 0) return second;
        client.stopReading();
        await clock.second();
        client.goOnReading();
        if (perSecond > 0) await client.take(perSecond).catch(() => undefined);
      }
      return longEnough;
    }

    for (const secure of [false, true]) {
      const over = secure ? ' over TLS' : '';
      const open = async (bodyRate: number): Promise<{ on: TestServer; client: RawClient }> => {
        const { leaf } = await makeCertificates();
        const on = await startServer(endless, { clock, tls: secure ? new CertificateSet([leaf]) : null });
        const client = await RawClient.connect(on.port, secure ? { tls: { rejectUnauthorized: false } } : {});
        // only now: a handshake takes the time that it takes
        on.server.configure({ ...on.settings, limits: limits(bodyRate) });
        return { on, client };
      };

      it(`more slowly than limits.bodyRate is reset${over}`, async () => {
        const { on, client } = await open(3_000_000);
        const seconds = await read(client, on, 300_000);
        assert.ok(seconds >= 10 && seconds < 40, `${seconds} seconds`);
        assert.equal(on.server.counters.timeouts.write, 1);
        await client.rest();
      });

      it(`at that rate is served for as long as it takes${over}`, async () => {
        const { on, client } = await open(300_000);
        assert.equal(await read(client, on, 1_500_000), longEnough);
        client.close();
      });
    }

    it('not at all is reset, whatever the rate', async () => {
      const on = await start(0, endless);
      const client = await RawClient.connect(on.port);
      client.send(GET);
      await client.receiveHead();
      client.stopReading();
      for (let second = 0; second < 13; second++) await clock.second();
      assert.equal(on.server.counters.timeouts.write, 1);
      assert.equal(on.server.connections, 0);
      client.close();
    });

    it('all that there is, though little comes, is not slow', async () => {
      let next = gate();
      const on = await start(1_000_000, () =>
        Promise.resolve({
          status: 200,
          reason: '',
          fields: Fields.none,
          body: bodyFrom(async () => {
            await next.promise;
            next = gate();
            return Buffer.from('abc');
          }),
        }),
      );
      const client = await RawClient.connect(on.port);
      client.send(GET);
      await client.receiveHead();
      for (let second = 0; second < 30; second++) {
        next.open();
        assert.equal((await client.take(8)).toString(), '3\r\nabc\r\n');
        await clock.second();
      }
      client.close();
    });
  });
});
