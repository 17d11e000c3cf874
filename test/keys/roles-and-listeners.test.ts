import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { makeCertificates, writePem, type Certificates } from '../support/certificates.js';
import { answer } from '../support/origin-scripts.js';
import { RawClient } from '../support/raw-client.js';
import { TempDir } from '../support/temp-dir.js';
import { startWillis, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

describe('the keys of the node and its listeners', () => {
  let willis: Willis;
  let dir: TempDir;
  let certificates: [Certificates, Certificates];

  before(async () => {
    certificates = [await makeCertificates(), await makeCertificates()];
  });
  beforeEach(async () => {
    dir = await TempDir.create();
    willis = await startWillis();
    willis.serve(answer(200, {}, 'content'));
  });
  afterEach(async () => {
    await willis.stop();
    await dir.remove();
  });

  const isOpen = async (port: number, host: string): Promise<boolean> => {
    const socket = connect(port, host);
    const opened = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    return opened;
  };
  const statusAt = async (port: number, target = '/', host = '127.0.0.1'): Promise<number> => {
    const client = await RawClient.connect(port, { host });
    client.request('GET', target, { Host: `127.0.0.1:${port}` });
    const { status } = await client.receive();
    client.close();
    return status;
  };
  const write = ({ leaf }: Certificates, name: string) => writePem(dir, leaf, name);
  const secure = (tls: object) => ({ listen: { site: { address: '127.0.0.1:0', tls } } });
  /** Whether a handshake with the public side shows a certificate of that authority. */
  const shows = async ({ ca }: Certificates): Promise<boolean> => {
    const client = RawClient.connect(willis.sitePort, { tls: { ca, servername: 'localhost' } });
    return client.then(
      (one) => {
        one.close();
        return true;
      },
      () => false,
    );
  };

  flips('roles', 'clientSide opens the forward proxy', async () => {
    const port = willis.proxyPort;
    assert.equal(await statusAt(port), 200);
    await willis.reload({ roles: [] });
    assert.equal(await isOpen(port, '127.0.0.1'), false);
    await willis.reload({ roles: ['clientSide'] });
    assert.equal(await statusAt(willis.proxyPort), 200);
  });

  flips('node.name', 'the name in Via and Cache-Status', async () => {
    assert.match((await willis.get('/a')).get('cache-status') ?? '', /^willis;/);
    await willis.reload({ node: { name: 'other' } });
    assert.match((await willis.get('/b')).get('cache-status') ?? '', /^other;/);
    assert.deepEqual(
      willis.origin.requests.map(({ headers }) => String(headers.via).split(' ').slice(0, 2).join(' ')),
      ['1.1 willis', '1.1 other'],
    );
  });

  for (const [name, target] of [
    ['proxy', '/'],
    ['site', '/'],
    ['admin', '/healthz'],
  ] as const) {
    flips(`listen.${name}`, 'where it listens', async () => {
      await willis.reload({ listen: { [name]: '127.0.0.1:0' } });
      const port = willis.port(name);
      assert.equal(await statusAt(port, target), 200);
      await willis.reload({ listen: { [name]: '127.0.0.2:0' } });
      assert.equal(await statusAt(willis.port(name), target, '127.0.0.2'), 200);
      assert.equal(await isOpen(port, '127.0.0.1'), false);
      const last = willis.port(name);
      await willis.reload({ roles: [], sites: [], listen: { admin: '127.0.0.1:0', [name]: null } });
      assert.equal(await isOpen(last, '127.0.0.2'), false);
    });
  }

  flips('listener.address', 'where it listens', async () => {
    await willis.reload({ listen: { site: { address: '127.0.0.1:0' } } });
    const port = willis.sitePort;
    assert.equal(await statusAt(port), 200);
    await willis.reload({ listen: { site: { address: '127.0.0.2:0' } } });
    assert.equal(await isOpen(port, '127.0.0.1'), false);
    assert.equal(await statusAt(willis.sitePort, '/', '127.0.0.2'), 200);
  });

  flips('listener.tls', 'whether it speaks TLS', async () => {
    assert.equal(await statusAt(willis.sitePort), 200);
    await willis.reload(secure(await write(certificates[0], 'a')));
    assert.equal(await shows(certificates[0]), true);
    await willis.reload({ listen: { site: '127.0.0.1:0' } });
    assert.equal(await statusAt(willis.sitePort), 200);
  });

  flips('certificate.cert', 'the certificate that is shown', async () => {
    const [a, b] = [await write(certificates[0], 'a'), await write(certificates[1], 'b')];
    await willis.reload(secure(a));
    assert.deepEqual([await shows(certificates[0]), await shows(certificates[1])], [true, false]);
    await willis.reload(secure(b));
    assert.deepEqual([await shows(certificates[0]), await shows(certificates[1])], [false, true]);
  });

  flips('certificate.key', 'the key of the certificate, which must fit it', async () => {
    const [a, b] = [await write(certificates[0], 'a'), await write(certificates[1], 'b')];
    await willis.reload(secure(a));
    await assert.rejects(willis.reload(secure({ cert: a.cert, key: b.key })), /the key of the certificate/);
    assert.equal(await shows(certificates[0]), true);
    await dir.write('a.pem', certificates[1].leaf.cert);
    await willis.reload(secure({ cert: a.cert, key: b.key }));
    assert.equal(await shows(certificates[1]), true);
  });
});
