import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { gate } from '../support/gate.js';
import { answer } from '../support/origin-scripts.js';
import { RawClient } from '../support/raw-client.js';
import { startOrigin, type OriginHandler, type ScriptedOrigin } from '../support/scripted-origin.js';
import { makeCertificates, writePem } from '../support/certificates.js';
import { TempDir } from '../support/temp-dir.js';
import { aWhile, settled, until } from '../support/waiting.js';
import { startProcess, type WillisProcess } from '../support/willis-process.js';
import { turns, type Sections } from '../support/willis.js';

const GET = 'GET / HTTP/1.1\r\nHost: site.test\r\n\r\n';
const FLOOD = Buffer.from(GET.repeat(1000));
const VICTIM = '127.0.0.3';

/** For a number that another process changes. */
const manyLooks = 40;

describe('a node among hostile clients', function () {
  this.timeout(120_000);
  let origin: ScriptedOrigin;
  let willis: WillisProcess;
  let clients: RawClient[];
  let intruders: Socket[];
  const ok = answer(200, { 'Cache-Control': 'max-age=1000' }, 'ok');

  beforeEach(async () => {
    clients = [];
    intruders = [];
    origin = await startOrigin(ok);
  });
  afterEach(async () => {
    for (const client of clients) client.close();
    for (const socket of intruders) socket.destroy();
    await willis.stop();
    await origin.close();
  });

  const start = async (
    sections: Readonly<Record<string, Sections>> = {},
    handler: OriginHandler = ok,
  ): Promise<void> => {
    origin.handle(handler);
    const { limits, listen, ...others } = sections;
    willis = await startProcess({
      listen: { proxy: '127.0.0.1:0', site: '127.0.0.1:0', admin: '127.0.0.1:0', ...listen },
      access: { destinations: { allow: ['127.0.0.1'] } },
      limits: { drainTimeout: '1ms', perClientConnections: 20_000, ...limits },
      sites: [{ host: '*', origin: origin.url('/') }],
      log: { access: { format: 'off' } },
      ...others,
    });
  };

  const enter = async (side = 'site', from = '127.0.0.1'): Promise<RawClient> => {
    const client = await RawClient.connect(willis.port(side), { from });
    clients.push(client);
    return client;
  };

  /** A connection that is opened and of which nobody waits for anything. */
  const intrude = (data: string | Buffer = '', from = '127.0.0.1'): Socket => {
    const socket = connect({ port: willis.port('site'), host: '127.0.0.1', localAddress: from });
    socket.on('error', () => undefined);
    if (data.length > 0) socket.write(data);
    intruders.push(socket);
    return socket;
  };

  /** Intruders who have got in, and who have not been turned away. */
  const inside = (): number => intruders.filter((socket) => !socket.closed).length;

  /** Somebody who behaves is served on all sides, by connections old and new. */
  async function victimIsServed(): Promise<void> {
    const kept = await enter('site', VICTIM);
    for (let i = 0; i < 10; i++) {
      kept.send(GET);
      assert.equal((await kept.receive()).status, 200);
      const fresh = await enter('proxy', VICTIM);
      fresh.request('GET', origin.url(`/${i}`), { Host: origin.authority, 'Cache-Control': 'no-cache' });
      assert.equal((await fresh.receive()).status, 200);
      fresh.close();
    }
    const operator = await enter('admin', VICTIM);
    operator.request('GET', '/healthz', { Host: 'localhost' });
    assert.equal((await operator.receive()).status, 200);
    operator.close();
    kept.close();
  }

  /** Runs it and tells by how many MiB the node has grown meanwhile, at most. */
  async function growth(act: () => Promise<void>): Promise<number> {
    await victimIsServed();
    const before = await willis.memory();
    let most = before;
    const done = gate();
    const watching = (async () => {
      while (!done.isOpen) {
        most = Math.max(most, await willis.memory());
        await aWhile();
      }
    })();
    await act().finally(() => done.open());
    await watching;
    return Math.max(most, await willis.memory()) - before;
  }

  it('300 half-open requests, a byte now and then, leave others served while they are open', async () => {
    await start();
    const head = 'GET / HTTP/1.1\r\nHost: site.test\r\nX-Slow: ';
    const slow: RawClient[] = [];
    for (let i = 0; i < 300; i++) slow.push(await enter(i % 2 === 0 ? 'site' : 'proxy'));
    for (const client of slow) client.send(head);
    const drip = setInterval(() => slow.forEach((client) => client.send('a')), 50);
    try {
      for (let i = 0; i < 5; i++) await victimIsServed();
      assert.equal(
        slow.every((client) => !client.socket.readableEnded && client.leftover.length === 0),
        true,
      );
    } finally {
      clearInterval(drip);
    }
    for (const client of slow) client.send('\r\n\r\n');
    // the proxy itself has a help page there
    for (const client of slow) assert.equal((await client.receive()).status, 200);
  });

  it('fields up to the limits of number and size are taken on every side, and not one more', async () => {
    await start({ limits: { headers: 50, headerBytes: '2KiB', uri: '256' } });
    const requestLine = (side: string): string => `GET ${side === 'proxy' ? origin.url('/') : '/healthz'} HTTP/1.1\r\n`;
    const ask = async (side: string, head: string): Promise<number> => {
      const client = await enter(side);
      client.send(`${head}\r\n`);
      return (await client.receive()).status;
    };
    for (const side of ['site', 'proxy', 'admin']) {
      const host = `${requestLine(side)}Host: localhost\r\n`;
      const most = host + 'A: b\r\n'.repeat(49);
      assert.deepEqual([await ask(side, most), await ask(side, `${most}A: b\r\n`)], [200, 431], side);
      const room = 2048 - 2 - host.length - 'A: \r\n'.length;
      const longest = `${host}A: ${'b'.repeat(room)}\r\n`;
      const longer = `${host}A: ${'b'.repeat(room + 1)}\r\n`;
      assert.deepEqual([await ask(side, longest), await ask(side, longer)], [200, 431], side);
      const target = (length: number): string => {
        const begin = side === 'proxy' ? origin.url('/healthz?') : '/healthz?';
        return `GET ${begin.padEnd(length, 'x')} HTTP/1.1\r\nHost: localhost\r\n`;
      };
      assert.deepEqual([await ask(side, target(256)), await ask(side, target(257))], [200, 414], side);
    }
  });

  it('clients that read nothing of 100 MB hold the origin back', async () => {
    const piece = Buffer.alloc(65_536);
    const written = new Map<string, () => number>();
    await start({}, (request, response) => {
      if (!request.url.startsWith('/large')) return ok(request, response, 0);
      const { socket } = response;
      assert.ok(socket !== null, 'no socket');
      const before = socket.bytesWritten;
      written.set(request.url, () => socket.bytesWritten - socket.writableLength - before);
      response.writeHead(200, { 'Content-Length': 1600 * piece.length, 'Cache-Control': 'no-store' });
      let left = 1600;
      const more = (): void => {
        while (left > 0 && !response.destroyed) {
          left--;
          if (!response.write(piece)) {
            response.once('drain', more);
            return;
          }
        }
        if (left === 0) response.end();
      };
      more();
    });
    const total = (): number => [...written.values()].reduce((sum, read) => sum + read(), 0);
    const grown = await growth(async () => {
      for (let i = 0; i < 20; i++) {
        const client = await enter();
        client.stopReading();
        client.send(`GET /large-${i} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
      }
      await until(() => written.size === 20);
      await settled(total, manyLooks);
      await victimIsServed();
    });
    // what the buffers of the system hold, on four sides of two connections
    for (const [url, read] of written) assert.ok(read() < 30_000_000, `${url}: ${read()} bytes`);
    assert.ok(grown < 64, `${grown} MiB`);
  });

  it('a client that pipelines without end and reads nothing is read no further', async () => {
    await start();
    const sockets: Socket[] = [];
    const grown = await growth(async () => {
      for (let i = 0; i < 20; i++) {
        const socket = intrude().pause();
        sockets.push(socket);
        for (let sent = 0; sent < 20_000_000; sent += FLOOD.length) socket.write(FLOOD);
      }
      await settled(() => sockets.reduce((sum, socket) => sum + socket.writableLength, 0), manyLooks);
      await victimIsServed();
    });
    for (const socket of sockets) assert.ok(socket.writableLength > 0, String(socket.writableLength));
    assert.ok(grown < 64, `${grown} MiB`);
  });

  it('clients that pipeline without end and read everything leave others served', async () => {
    await start();
    for (let i = 0; i < 50; i++) {
      const socket = intrude().resume();
      const more = (): void => {
        while (!socket.destroyed && socket.write(FLOOD));
      };
      socket.on('drain', more);
      more();
    }
    await victimIsServed();
    assert.equal(inside(), 50);
  });

  it('3000 connections beyond the limit cost next to nothing, and whoever is in stays served', async () => {
    await start({ limits: { connections: 100 } });
    const early = await enter('site', VICTIM);
    early.send('GET / HTTP/1.1\r\n');
    const grown = await growth(async () => {
      for (let i = 0; i < 3100; i++) {
        const socket = intrude('GET / HTTP/1.1\r\n').resume();
        if (i % 50 === 0) await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
      }
      await until(() => inside() < 100);
      early.send('Host: site.test\r\n\r\n');
      assert.equal((await early.receive()).status, 200);
    });
    assert.ok(grown < 48, `${grown} MiB`);
    for (const socket of intruders) socket.destroy();
    // until the node has noticed that they have gone
    await until(async () => {
      const client = await enter();
      client.send(GET);
      const answer = await client.receive().catch(() => null);
      return answer?.status === 200;
    });
    await victimIsServed();
    const said = willis.events.filter(({ msg }) => msg === 'connections were refused').length;
    assert.ok(said <= 3, String(said));
  });

  it("one client's connections end at its own limit, and another client is served", async () => {
    await start({ limits: { perClientConnections: 50 } });
    for (let i = 0; i < 500; i++) intrude('GET / HTTP/1.1\r\n', '127.0.0.2').resume();
    await until(() => inside() === 50);
    await victimIsServed();
  });

  it("one client's requests end at its own rate, and another client is served", async () => {
    await start({ limits: { perClientRate: 100 } });
    for (let i = 0; i < 20; i++) {
      const socket = intrude('', '127.0.0.2').resume();
      const more = (): void => {
        while (!socket.destroyed && socket.write(GET.repeat(100)));
      };
      socket.on('drain', more);
      more();
    }
    await victimIsServed();
    const flooder = await enter('site', '127.0.0.2');
    // the flood may have to gain strength first
    await until(async () => {
      flooder.send(GET);
      return (await flooder.receive()).status === 429;
    });
  });

  it('handshakes that never end are ended, and others get through meanwhile (limits.headerTimeout)', async () => {
    const dir = await TempDir.create();
    const { leaf } = await makeCertificates();
    const tls = await writePem(dir, leaf);
    await start({ limits: { headerTimeout: '2s' }, listen: { site: { address: '127.0.0.1:0', tls } } });
    const sockets: Socket[] = [];
    for (let i = 0; i < 300; i++) {
      // silent, the beginning of a record, and a record that says it is long
      const begun = ['', '\x16\x03\x01', '\x16\x03\x01\x3f\xff\x01\x00'][i % 3] ?? '';
      sockets.push(intrude(Buffer.from(begun, 'latin1')).resume());
    }
    for (let i = 0; i < 5; i++) {
      const client = await RawClient.connect(willis.port('site'), { tls: { rejectUnauthorized: false } });
      client.send(GET);
      assert.equal((await client.receive()).status, 200);
      client.close();
    }
    await until(() => sockets.every((socket) => socket.closed));
    await dir.remove();
  });

  it('connections that come and go in every way leave nothing behind', async () => {
    await start({ limits: { perClientConnections: 200 } });
    const churn = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        const sockets = Array.from({ length: 100 }, (_, i) =>
          intrude(['', 'GET ', GET, `${GET}${GET}G`, 'x\r\n\r\n'][i % 5]),
        );
        await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
        if (round % 2 === 0) await turns();
        for (const [i, socket] of sockets.entries()) {
          if (i % 3 === 0) socket.resetAndDestroy();
          else socket.destroy();
        }
        intruders = [];
      }
    };
    await churn(10);
    const grown = await growth(() => churn(50));
    assert.ok(grown < 48, `${grown} MiB`);
    // none of them is counted any more
    await until(async () => {
      const all: RawClient[] = [];
      while (all.length < 200) all.push(await enter());
      for (const client of all) client.send(GET);
      const answers = await Promise.all(all.map((client) => client.receive()));
      for (const client of all) client.close();
      return answers.every(({ status }) => status === 200);
    });
  });
});
