import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { milliseconds } from '../../config/units.js';
import { Fields } from '../../proxy/http/fields.js';
import { CertificateSet, type TlsCertificate } from '../../proxy/http/tls-certificates.js';
import { RawClient } from '../support/raw-client.js';
import { TempDir } from '../support/temp-dir.js';
import { bodyFrom, closeServers, startServer, text } from './test-server.js';

const run = promisify(execFile);
const tls = { rejectUnauthorized: false, servername: 'a.example' };
const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n';

async function selfSigned(dir: TempDir, commonName: string, ...names: string[]): Promise<TlsCertificate> {
  const file = (name: string): string => join(dir.path, `${commonName}-${name}.pem`);
  const subject = ['-subj', `/CN=${commonName}`];
  const alternatives = names.length > 0 ? ['-addext', `subjectAltName=${names.map((n) => `DNS:${n}`).join(',')}`] : [];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file('key')];
  await run('openssl', ['req', '-x509', '-days', '30', ...key, '-out', file('cert'), ...subject, ...alternatives]);
  return { cert: await readFile(file('cert')), key: await readFile(file('key')) };
}

async function commonNameFor(port: number, servername?: string): Promise<string> {
  const options = servername === undefined ? {} : { servername };
  const socket = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    ...options,
  });
  await once(socket, 'secureConnect');
  const name = socket.getPeerCertificate().subject.CN;
  assert.equal(socket.alpnProtocol, 'http/1.1');
  socket.destroy();
  return name;
}

describe('an HTTP server over TLS', () => {
  let dir: TempDir;
  let first: TlsCertificate;
  let second: TlsCertificate;

  before(async () => {
    dir = await TempDir.create();
    first = await selfSigned(dir, 'first', 'a.example', '*.b.example');
    second = await selfSigned(dir, 'second', 'x.b.example', 'C.example');
  });
  after(() => dir.remove());
  afterEach(closeServers);

  it('requests are for https, and the client is known to be secure', async () => {
    const on = await startServer(
      (request) => text(`${request.target.scheme} ${String(request.client.secure)} ${request.client.address}`),
      { tls: { certificates: [first] } },
    );
    const client = await RawClient.connect(on.port, { tls });
    client.send(GET + GET);
    assert.equal((await client.receive()).body.toString(), 'https true 127.0.0.1');
    assert.equal((await client.receive()).body.toString(), 'https true 127.0.0.1');
    client.halfClose();
    assert.equal(await client.closed, 'end');
  });

  it('a client that half-closes after its request still gets its answer', async () => {
    const on = await startServer(() => new Promise((resolve) => setTimeout(() => resolve(text('abc')), 50)), {
      tls: { certificates: [first] },
    });
    const client = await RawClient.connect(on.port, { tls });
    client.send(GET);
    client.halfClose();
    assert.equal((await client.receive()).body.toString(), 'abc');
  });

  it('the certificate is chosen by the name asked for: exact, then wildcard, then the first (RFC 6066 §3)', async () => {
    const on = await startServer(() => text(''), { tls: { certificates: [first, second] } });
    const expected: [string | undefined, string][] = [
      [undefined, 'first'],
      ['a.example', 'first'],
      ['y.b.example', 'first'],
      ['X.b.example', 'second'],
      ['c.example', 'second'],
      ['z.y.b.example', 'first'],
      ['unknown.example', 'first'],
    ];
    for (const [name, chosen] of expected) assert.equal(await commonNameFor(on.port, name), chosen, name);
  });

  it('certificates are replaced without a restart, and connections that are open stay so', async () => {
    const on = await startServer(() => text('abc'), { tls: { certificates: [first] } });
    const client = await RawClient.connect(on.port, { tls });
    on.server.setCertificates([second]);
    assert.equal(await commonNameFor(on.port, 'a.example'), 'second');
    assert.equal(await commonNameFor(on.port), 'second');
    client.send(GET);
    assert.equal((await client.receive()).status, 200);
  });

  it('an unusable certificate is refused, and the old one stays', async () => {
    const on = await startServer(() => text('abc'), { tls: { certificates: [first] } });
    assert.throws(() => on.server.setCertificates([{ cert: first.cert, key: second.key }]));
    assert.throws(() => on.server.setCertificates([]));
    assert.equal(await commonNameFor(on.port, 'a.example'), 'first');
    assert.throws(() => new CertificateSet([{ cert: 'nonsense', key: 'nonsense' }]));
  });

  it('what is no TLS handshake ends the connection and nothing else', async () => {
    const on = await startServer(() => text('abc'), { tls: { certificates: [first] } });
    const plain = await RawClient.connect(on.port);
    plain.send(GET);
    await plain.rest();
    const client = await RawClient.connect(on.port, { tls });
    client.send(GET);
    assert.equal((await client.receive()).status, 200);
  });

  it('a body that breaks and would be ended by the connection ends in a reset (RFC 9112 §9.8)', async () => {
    let reads = 0;
    const body = bodyFrom(() => {
      if (reads++ === 0) return Buffer.from('abc');
      throw new Error('the origin broke');
    });
    const on = await startServer(() => ({ status: 200, reason: '', fields: Fields.none, body }), {
      tls: { certificates: [first] },
    });
    const client = await RawClient.connect(on.port, { tls });
    client.send('GET / HTTP/1.0\r\n\r\n');
    assert.equal(await client.closed, 'reset');
    assert.equal(on.finished[0]?.outcome.aborted, true);
  });

  it('closing destroys handshakes and connections that are left', async () => {
    const on = await startServer(() => new Promise(() => undefined), { tls: { certificates: [first] } });
    const handshaking = await RawClient.connect(on.port);
    const busy = await RawClient.connect(on.port, { tls });
    busy.send(GET);
    while (on.server.connections < 2) await new Promise(setImmediate);
    await on.server.close(milliseconds(50));
    await handshaking.rest();
    await busy.rest();
    assert.equal(on.server.connections, 0);
  });
});
