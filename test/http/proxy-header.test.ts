import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { milliseconds } from '../../config/units.js';
import { addressTest } from '../../proxy/http/address-test.js';
import type { Request, Response } from '../../proxy/http/message.js';
import { CertificateSet } from '../../proxy/http/tls-certificates.js';
import { makeCertificates } from '../support/certificates.js';
import { RawClient } from '../support/raw-client.js';
import { binaryHeader, ipv4Block, vector } from './proxy-protocol-samples.js';
import { closeServers, startServer, testLimits, text, type TestServer } from './test-server.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LINE = 'PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n';
const STREAM4 = 0x11;
const usedTls = vector(0x20, Buffer.from([1, 0, 0, 0, 0]));

const whoAsks = ({ client, target }: Request): Response =>
  text(`${client.address} ${client.port} ${target.scheme} ${client.secure}`);

const behindFront = { announces: addressTest(['127.0.0.0/8']), isExempt: () => false };

describe('a listener behind a proxy that sends the PROXY protocol (listen.*.proxyProtocol)', () => {
  const start = (options: Parameters<typeof startServer>[1] = {}): Promise<TestServer> =>
    startServer(whoAsks, { clients: behindFront, ...options });

  afterEach(closeServers);

  async function ask(on: TestServer, ...data: (string | Buffer)[]): Promise<string> {
    const client = await RawClient.connect(on.port);
    for (const piece of data) {
      client.send(piece);
      await new Promise(setImmediate);
    }
    const answer = await client.receive();
    client.close();
    return answer.body.toString();
  }

  it('takes the client from the header, in one packet with the request or in pieces', async () => {
    const on = await start();
    assert.equal(await ask(on, `${LINE}${GET}`), '192.0.2.7 56324 http false');
    assert.equal(await ask(on, LINE, GET), '192.0.2.7 56324 http false');
    assert.equal(await ask(on, ...Array.from(`${LINE}${GET}`)), '192.0.2.7 56324 http false');
    const binary = binaryHeader(0x21, STREAM4, ipv4Block('192.0.2.8', 9));
    assert.equal(await ask(on, Buffer.concat([binary, Buffer.from(GET)])), '192.0.2.8 9 http false');
  });

  it('the header is one of the connection, not of each request', async () => {
    const on = await start();
    const client = await RawClient.connect(on.port);
    client.send(`${LINE}${GET}${GET}`);
    for (let i = 0; i < 2; i++) assert.equal((await client.receive()).body.toString(), '192.0.2.7 56324 http false');
    client.send(`${LINE}${GET}`);
    assert.equal((await client.receive()).status, 400);
  });

  it("the proxy's own connections keep its address", async () => {
    const on = await start();
    const client = await RawClient.connect(on.port);
    client.send(Buffer.concat([binaryHeader(0x20, 0, Buffer.alloc(0)), Buffer.from(GET)]));
    const { localPort } = client.socket;
    assert.equal((await client.receive()).body.toString(), `127.0.0.1 ${localPort ?? ''} http false`);
    assert.match(await ask(on, `PROXY UNKNOWN\r\n${GET}`), /^127\.0\.0\.1 /);
  });

  it("requests of clients whose side is TLS are for https (PP2_TYPE_SSL), though the listener's is not", async () => {
    const on = await start();
    const header = binaryHeader(0x21, STREAM4, Buffer.concat([ipv4Block('192.0.2.8', 9), usedTls]));
    assert.equal(await ask(on, Buffer.concat([header, Buffer.from(GET)])), '192.0.2.8 9 https true');
  });

  describe('and TLS', () => {
    let pair: { readonly key: string; readonly cert: string };
    let front: Server;

    before(async () => {
      pair = (await makeCertificates()).leaf;
    });

    afterEach(() => front.close());

    /** A proxy that sends its header in one packet with the first bytes of the client, or before they are there. */
    async function startFront(port: number, together: boolean): Promise<number> {
      front = createServer((socket) => {
        const onward = connect(port, '127.0.0.1');
        if (!together) onward.write(LINE);
        socket.once('data', (first: Buffer) => {
          onward.write(together ? Buffer.concat([Buffer.from(LINE), first]) : first);
          socket.pipe(onward).pipe(socket);
        });
        for (const one of [socket, onward]) one.on('error', () => undefined);
        onward.on('close', () => socket.destroy());
      });
      front.listen(0, '127.0.0.1');
      await once(front, 'listening');
      return (front.address() as AddressInfo).port;
    }

    for (const together of [true, false]) {
      it(`reads the header before the handshake, ${together ? 'in one packet with it' : 'before it arrives'}`, async () => {
        const on = await start({ tls: new CertificateSet([pair]) });
        const client = await RawClient.connect(await startFront(on.port, together), {
          tls: { rejectUnauthorized: false },
        });
        client.send(GET);
        assert.equal((await client.receive()).body.toString(), '192.0.2.7 56324 https true');
        client.close();
      });
    }
  });

  it('refuses a connection that begins with anything else, and says so in the log', async () => {
    const on = await start();
    const client = await RawClient.connect(on.port);
    client.send(GET);
    assert.equal((await client.rest()).length, 0);
    assert.equal(await client.closed, 'reset');
    assert.equal(on.logged.includes('a connection without PROXY header was refused'), true);
    assert.equal(on.server.counters.refused['proxy-header'], 1);
    assert.equal(on.server.connections, 0);
    assert.equal(on.finished.length, 0);
  });

  it('refuses one that ends before its header is complete', async () => {
    const on = await start();
    const client = await RawClient.connect(on.port);
    client.send(LINE.slice(0, 10));
    client.halfClose();
    assert.equal((await client.rest()).length, 0);
    assert.equal(on.server.counters.refused['proxy-header'], 1);
    assert.equal(on.server.connections, 0);
  });

  it('one that ends without a byte was a look whether anybody listens, and no event', async () => {
    const on = await start();
    const client = await RawClient.connect(on.port);
    client.halfClose();
    assert.equal((await client.rest()).length, 0);
    assert.equal(on.server.counters.refused['proxy-header'], 0);
    assert.deepEqual(on.logged, []);
    assert.equal(on.server.connections, 0);
  });

  it('one that goes before its header is complete leaves nothing behind', async () => {
    const on = await start();
    const client = await RawClient.connect(on.port);
    client.send(LINE.slice(0, 10));
    client.reset();
    await client.closed;
    assert.equal(await ask(on, `${LINE}${GET}`), '192.0.2.7 56324 http false');
    while (on.server.connections > 0) await new Promise(setImmediate);
  });

  it('refuses one whose header does not arrive in time (limits.headerTimeout)', async () => {
    const on = await start({ limits: { ...testLimits, headerTimeout: milliseconds(60) } });
    const client = await RawClient.connect(on.port);
    client.send(LINE.slice(0, 10));
    assert.equal((await client.rest()).length, 0);
    assert.equal(on.server.counters.timeouts['proxy-header'], 1);
  });

  it('the header of a peer that is not listed is a malformed request', async () => {
    const on = await start({ clients: { ...behindFront, announces: addressTest(['192.0.2.0/24']) } });
    for (const header of [LINE, binaryHeader(0x21, STREAM4, ipv4Block('192.0.2.8', 9))]) {
      const client = await RawClient.connect(on.port);
      client.send(header);
      client.send(GET);
      assert.equal((await client.receive()).status, 400);
    }
  });

  it('a server that closes does not wait for headers that never come', async () => {
    const on = await start();
    const client = await RawClient.connect(on.port);
    client.send(LINE.slice(0, 10));
    while (on.server.connections === 0) await new Promise(setImmediate);
    await on.server.close(milliseconds(10));
    assert.equal((await client.rest()).length, 0);
  });
});
