import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { RefusedConfiguration } from '../../proxy/roles/refused-configuration.js';
import { makeCertificates, writePem, type Certificates } from '../support/certificates.js';
import { gate } from '../support/gate.js';
import { answer, answerInPieces } from '../support/origin-scripts.js';
import { RawClient } from '../support/raw-client.js';
import { rawOrigin } from '../support/raw-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { startWillis, type Willis } from '../support/willis.js';

/** A server that does nothing but listen. */
async function occupied(host: string, port = 0): Promise<Server & { readonly port: number }> {
  const server = createServer((socket) => socket.destroy());
  server.listen(port, host);
  await once(server, 'listening');
  return Object.assign(server, { port: (server.address() as AddressInfo).port });
}

async function freePort(): Promise<number> {
  const server = await occupied('127.0.0.1');
  server.close();
  await once(server, 'close');
  return server.port;
}

async function refusal(port: number, host = '127.0.0.1'): Promise<string | undefined> {
  const socket = connect(port, host);
  const [error] = (await Promise.race([once(socket, 'error'), once(socket, 'connect')])) as [
    NodeJS.ErrnoException | undefined,
  ];
  socket.destroy();
  return error?.code;
}

const keysOf = (error: unknown): string[] => {
  assert.ok(error instanceof RefusedConfiguration, 'not a RefusedConfiguration');
  return error.problems.map(({ key }) => key);
};

describe('a reload and the listeners', () => {
  let willis: Willis;

  beforeEach(async () => {
    willis = await startWillis();
    willis.serve(answer(200, {}, 'content'));
  });
  afterEach(() => willis.stop());

  const askAt = async (port: number, host = '127.0.0.1'): Promise<string> => {
    const client = await RawClient.connect(port, { host });
    client.request('GET', '/', { Host: 'site.test' });
    const { body } = await client.receive();
    client.close();
    return body.toString();
  };

  it('one that moves is open at its new address, and no longer at its old one; idle connections end', async () => {
    const [old, port] = [willis.sitePort, await freePort()];
    const idle = await willis.connect();
    await willis.reload({ listen: { site: `127.0.0.1:${port}` } });
    assert.equal(willis.sitePort, port);
    assert.equal(await askAt(port), 'content');
    assert.equal(await refusal(old), 'ECONNREFUSED');
    assert.equal((await idle.rest()).length, 0);
  });

  it('what is under way at the old address goes on', async () => {
    const half = gate();
    willis.serve(answerInPieces(200, { 'Content-Length': '6' }, 'abc', half, 'def'));
    const client = await willis.begin('GET', '/');
    await client.receiveHead();
    await willis.reload({ listen: { site: `127.0.0.1:${await freePort()}` } });
    half.open();
    assert.equal((await client.take(6)).toString(), 'abcdef');
    assert.equal((await client.rest()).length, 0);
  });

  it('a tunnel at an address that is closed goes on until the node stops', async () => {
    const echo = await rawOrigin((socket, text) => void socket.write(text));
    await willis.reload({ access: { connectPorts: [echo.port] } });
    const client = await willis.connect(willis.proxyPort);
    client.send(`CONNECT 127.0.0.1:${echo.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await client.receiveHead();
    await willis.reload({ roles: [] });
    client.send('on\r\n\r\n');
    assert.equal((await client.take(6)).toString(), 'on\r\n\r\n');
    await willis.node.stop();
    assert.equal((await client.rest()).length, 0);
    await echo.close();
  });

  it('one whose address is taken is refused by key, and everything is as it was', async () => {
    const [taken, port, site] = [await occupied('127.0.0.1'), await freePort(), willis.sitePort];
    const reload = willis.reload({
      listen: { site: `127.0.0.1:${port}`, admin: `127.0.0.1:${taken.port}` },
      sites: [{ host: 'other.test', origin: 'http://127.0.0.1:1/' }],
      node: { name: 'renamed' },
    });
    await assert.rejects(
      reload,
      (error) => keysOf(error).join() === 'listen.admin' && /EADDRINUSE/.test(String(error)),
    );
    assert.equal(await refusal(port), 'ECONNREFUSED');
    assert.equal(await askAt(site), 'content');
    assert.match(String(willis.origin.last.headers.via), /willis/);
    assert.deepEqual((await willis.reload({})).changes, []);
    taken.close();
  });

  it('an address that is part of the new one gives way to it, and comes back if that is refused', async () => {
    const port = await freePort();
    await willis.reload({ listen: { site: `127.0.0.1:${port}` } });
    const open = await willis.connect();
    const other = await occupied('127.0.0.2', port);
    await assert.rejects(willis.reload({ listen: { site: `0.0.0.0:${port}` } }), /listen\.site: .*EADDRINUSE/);
    assert.equal(await askAt(port), 'content');
    other.close();
    await once(other, 'close');
    await willis.reload({ listen: { site: `0.0.0.0:${port}` } });
    assert.equal(await askAt(port, '127.0.0.2'), 'content');
    assert.equal((await open.rest()).length, 0);
    await willis.reload({ listen: { site: `127.0.0.1:${port}` } });
    assert.equal(await refusal(port, '127.0.0.2'), 'ECONNREFUSED');
    assert.equal(await askAt(port), 'content');
  });

  it('two that change places keep their sockets, and a connection that is open belongs to the other', async () => {
    const [first, second] = [await occupied('127.0.0.1'), await occupied('127.0.0.1')];
    const [a, b] = [first.port, second.port];
    for (const server of [first, second]) server.close();
    await willis.reload({ listen: { site: `127.0.0.1:${a}`, proxy: `127.0.0.1:${b}` } });
    const client = await willis.connect(b);
    const ask = async (): Promise<number> => {
      client.request('GET', '/none', { Host: 'site.test' });
      return (await client.receive()).status;
    };
    assert.equal(await ask(), 404);
    await willis.reload({ listen: { site: `127.0.0.1:${b}`, proxy: `127.0.0.1:${a}` } });
    assert.equal(await ask(), 200);
    assert.deepEqual([willis.sitePort, willis.proxyPort], [b, a]);
  });

  describe('with TLS', () => {
    let dir: TempDir;
    let certificates: [Certificates, Certificates];

    before(async () => {
      certificates = [await makeCertificates(), await makeCertificates()];
    });
    beforeEach(async () => {
      dir = await TempDir.create();
    });
    afterEach(() => dir.remove());

    const write = ({ leaf }: Certificates, name?: string) => writePem(dir, leaf, name);
    const believing = ({ ca }: Certificates) => ({ tls: { ca, servername: 'localhost' } });
    const secureListener = async (certificate = certificates[0]) => ({
      listen: { site: { address: '127.0.0.1:0', tls: await write(certificate) } },
    });
    const statusOf = async (client: RawClient): Promise<number> => {
      client.request('GET', '/', { Host: 'localhost' });
      return (await client.receive()).status;
    };

    it('it is switched on and off on an open port; connections stay what they are', async () => {
      const port = willis.sitePort;
      const plain = await willis.connect();
      await willis.reload(await secureListener());
      assert.equal(willis.node.listening.find(({ name }) => name === 'site')?.url, `https://127.0.0.1:${port}/`);
      const secure = await RawClient.connect(port, believing(certificates[0]));
      assert.deepEqual([await statusOf(plain), await statusOf(secure)], [200, 200]);
      assert.equal(willis.origin.last.headers['x-forwarded-proto'], 'https');
      await willis.reload({ listen: { site: '127.0.0.1:0' } });
      assert.equal(await statusOf(await willis.connect(port)), 200);
      assert.equal(await statusOf(secure), 200);
      secure.close();
    });

    it('new certificates in the same files are taken into use, for new connections, and reported', async () => {
      const {
        changes: [first],
      } = await willis.reload(await secureListener());
      assert.equal(first?.key, 'listen.site');
      const old = await RawClient.connect(willis.sitePort, believing(certificates[0]));
      const { cert, key } = await write(certificates[1]);
      assert.deepEqual((await willis.reload({})).changes, [
        { key: 'listen.site.tls[0].cert', from: cert, to: cert },
        { key: 'listen.site.tls[0].key', from: key, to: key },
      ]);
      await assert.rejects(RawClient.connect(willis.sitePort, believing(certificates[0])));
      const fresh = await RawClient.connect(willis.sitePort, believing(certificates[1]));
      assert.deepEqual([await statusOf(old), await statusOf(fresh)], [200, 200]);
      for (const client of [old, fresh]) client.close();
    });

    it('a key of another certificate is refused by key, and the old certificate stays in use', async () => {
      await willis.reload(await secureListener());
      await dir.write('site.key', certificates[1].leaf.key);
      await assert.rejects(willis.reload({ limits: { headers: 10 } }), (error) => {
        assert.deepEqual(keysOf(error), ['listen.site.tls[0].key']);
        return /expected the key of the certificate in /.test(String(error));
      });
      const client = await RawClient.connect(willis.sitePort, believing(certificates[0]));
      assert.equal(await statusOf(client), 200);
      client.close();
    });

    it('a file that cannot be read is refused by key, with all others that cannot', async () => {
      const tls = { cert: `${dir.path}/none.pem`, key: `${dir.path}/none.key` };
      const upstream = { ca: [await dir.write('ca.pem', 'no PEM')] };
      await assert.rejects(willis.reload({ listen: { site: { address: '127.0.0.1:0', tls } }, upstream }), (error) => {
        assert.deepEqual(keysOf(error), ['listen.site.tls[0].cert', 'listen.site.tls[0].key', 'upstream.ca[0]']);
        return true;
      });
      assert.equal(await statusOf(await willis.connect()), 200);
    });

    it('a key that is added to a list of certificates is chosen by its name (RFC 6066 §3)', async () => {
      await willis.reload(await secureListener());
      const both = [await write(certificates[1], 'second'), await write(certificates[0])];
      await willis.reload({ listen: { site: { address: '127.0.0.1:0', tls: both } } });
      const client = await RawClient.connect(willis.sitePort, believing(certificates[1]));
      assert.equal(await statusOf(client), 200);
      client.close();
    });
  });

  it('a log that cannot be written is refused if it is a new one', async () => {
    const path = '/nowhere/access.log';
    const reload = willis.reload({ log: { access: { format: 'json', path } } });
    await assert.rejects(reload, (error) => keysOf(error).join() === 'log.access.path');
  });
});
