import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectPlain, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { milliseconds } from '../../config/units.js';
import { Fields } from '../../proxy/http/fields.js';
import { TlsAcceptor } from '../../proxy/http/tls-acceptor.js';
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
      { tls: new CertificateSet([first]) },
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
      tls: new CertificateSet([first]),
    });
    const client = await RawClient.connect(on.port, { tls });
    client.send(GET);
    client.halfClose();
    assert.equal((await client.receive()).body.toString(), 'abc');
  });

  it('the certificate is chosen by the name asked for: exact, then wildcard, then the first (RFC 6066 §3)', async () => {
    const on = await startServer(() => text(''), { tls: new CertificateSet([first, second]) });
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
    const on = await startServer(() => text('abc'), { tls: new CertificateSet([first]) });
    const client = await RawClient.connect(on.port, { tls });
    on.server.configure({ ...on.settings, tls: new CertificateSet([second]) });
    assert.equal(await commonNameFor(on.port, 'a.example'), 'second');
    assert.equal(await commonNameFor(on.port), 'second');
    client.send(GET);
    assert.equal((await client.receive()).status, 200);
  });

  it('an unusable certificate is refused before it is put to use', () => {
    assert.throws(() => new CertificateSet([{ cert: first.cert, key: second.key }]), /does not belong/);
    assert.throws(() => new CertificateSet([]), /no certificate/);
    assert.throws(() => new CertificateSet([{ cert: 'nonsense', key: 'nonsense' }]));
  });

  it('is switched on and off on an open port; connections that are open stay as they are', async () => {
    const on = await startServer((request) => text(request.target.scheme), {});
    const get = async (client: RawClient): Promise<string> => {
      client.send(GET);
      return (await client.receive()).body.toString();
    };
    const plain = await RawClient.connect(on.port);
    on.server.configure({ ...on.settings, tls: new CertificateSet([first]) });
    const secure = await RawClient.connect(on.port, { tls });
    assert.deepEqual([await get(plain), await get(secure)], ['http', 'https']);
    on.server.configure(on.settings);
    const again = await RawClient.connect(on.port);
    assert.deepEqual([await get(plain), await get(secure), await get(again)], ['http', 'https', 'http']);
  });

  it('sessions are resumed after a change of other settings, not after one of the certificates (RFC 8446 §2.2)', async () => {
    const certificates = new CertificateSet([first]);
    const on = await startServer(() => text(''), { tls: certificates });
    let session: Buffer | undefined;
    const isResumed = async (): Promise<boolean> => {
      const options = { ...tls, maxVersion: 'TLSv1.2' as const, ...(session && { session }) };
      const socket = connect({ ...options, port: on.port, host: '127.0.0.1' });
      await once(socket, 'secureConnect');
      const resumed = socket.isSessionReused();
      session = socket.getSession();
      socket.destroy();
      return resumed;
    };
    assert.equal(await isResumed(), false);
    const limits = { ...on.settings.limits, headerTimeout: milliseconds(5000) };
    on.server.configure({ ...on.settings, limits });
    assert.equal(await isResumed(), true);
    on.server.configure({ ...on.settings, limits, tls: new CertificateSet([second]) });
    assert.equal(await isResumed(), false);
  });

  it('what was read of a connection before its handshake, and put back, belongs to the handshake', async () => {
    const front = createServer({ allowHalfOpen: true });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    const raw = connectPlain((front.address() as AddressInfo).port, '127.0.0.1');
    const [accepted] = (await once(front, 'connection')) as [Socket];
    raw.write('hello');
    const client = connect({ ...tls, socket: raw });
    client.on('error', () => undefined).write('from inside');
    const received: Buffer[] = [];
    while (Buffer.concat(received).length < 100) {
      await once(accepted, 'readable');
      received.push(accepted.read() as Buffer);
    }
    const before = Buffer.concat(received);
    assert.equal(before.subarray(0, 5).toString(), 'hello');
    accepted.unshift(before.subarray(5));
    const secured = new Promise<TLSSocket>((resolve, reject) => {
      new TlsAcceptor({
        certificates: new CertificateSet([first]),
        handshakeTimeout: milliseconds(10_000),
        ticketKeys: null,
        onSecure: resolve,
        onFailed: reject,
      }).accept(accepted);
    });
    const socket = await secured;
    const [content] = (await once(socket, 'data')) as [Buffer];
    assert.equal(content.toString(), 'from inside');
    client.destroy();
    socket.destroy();
    front.close();
  });

  it('what is no TLS handshake ends the connection and nothing else', async () => {
    const on = await startServer(() => text('abc'), { tls: new CertificateSet([first]) });
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
      tls: new CertificateSet([first]),
    });
    const client = await RawClient.connect(on.port, { tls });
    client.send('GET / HTTP/1.0\r\n\r\n');
    assert.equal(await client.closed, 'reset');
    assert.equal(on.finished[0]?.outcome.aborted, 'node');
  });

  it('closing destroys handshakes and connections that are left', async () => {
    const on = await startServer(() => new Promise(() => undefined), { tls: new CertificateSet([first]) });
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
