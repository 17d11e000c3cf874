import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { TLSSocket } from 'node:tls';
import { milliseconds } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import { dial, type Destination, type DialOptions } from '../../proxy/forward/dial.js';
import { DialGuard } from '../../proxy/forward/dial-guard.js';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { rawOrigin, type RawOrigin } from '../support/raw-origin.js';
import { skipWithout } from '../support/skip-without.js';
import { createUpstream, failsWith, get, never, openGuard, textOf } from './upstream-fixture.js';

const options: DialOptions = { guard: openGuard, signal: never.signal, timeout: milliseconds(5000) };

const guardResolving = (...addresses: string[]): DialGuard =>
  new DialGuard({
    allow: [],
    deny: [],
    lookup: () => Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))),
  });

describe('dialling', () => {
  let certificates: Certificates;
  let origin: RawOrigin | undefined;

  before(async () => {
    certificates = await makeCertificates();
  });
  afterEach(async () => {
    await origin?.close();
    origin = undefined;
  });

  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const secureOrigin = async (): Promise<RawOrigin> =>
    (origin = await rawOrigin((socket) => void socket.write(ok), { tls: certificates.leaf }));
  const plainOrigin = async (): Promise<RawOrigin> => (origin = await rawOrigin((socket) => void socket.write(ok)));
  const at = (port: number, more: Partial<Destination> = {}): Destination => ({
    host: '127.0.0.1',
    port,
    secure: false,
    ...more,
  });

  it('connects to the address that the guard judged, not to what the name means to others', async () => {
    const { port } = await plainOrigin();
    const socket = await dial(at(port, { host: 'www.example.org' }), {
      ...options,
      guard: guardResolving('127.0.0.1'),
    });
    assert.equal(socket.remoteAddress, '127.0.0.1');
    socket.destroy();
  });

  it('an address of one family that refuses does not keep from the other (RFC 8305)', async () => {
    const { port } = await plainOrigin();
    const socket = await dial(at(port, { host: 'dual.example' }), {
      ...options,
      guard: guardResolving('::1', '127.0.0.1'),
    });
    assert.equal(socket.remoteAddress, '127.0.0.1');
    socket.destroy();
  });

  it('an IPv6 literal is dialled, in brackets or not', async function () {
    const server: Server = createServer((socket) => socket.end());
    server.listen(0, '::1');
    try {
      await once(server, 'listening');
    } catch {
      skipWithout(this, 'IPv6');
    }
    const { port } = server.address() as AddressInfo;
    for (const host of ['[::1]', '::1']) (await dial(at(port, { host }), options)).destroy();
    server.close();
  });

  it('refused connections fail as connect-refused, also when several addresses refused', async () => {
    const { port } = await plainOrigin();
    await origin?.close();
    origin = undefined;
    await assert.rejects(dial(at(port), options), failsWith('connect-refused'));
    const guard = guardResolving('127.0.0.1', '127.0.0.2');
    await assert.rejects(dial(at(port, { host: 'two.example' }), { ...options, guard }), failsWith('connect-refused'));
  });

  it('a destination that the guard refuses is not dialled, also as a literal', async () => {
    const { port, connections } = await plainOrigin();
    const guard = new DialGuard({ allow: [], deny: ['private'] });
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]']) {
      await assert.rejects(dial(at(port, { host }), { ...options, guard }), failsWith('destination-refused'));
    }
    assert.equal(connections.length, 0);
  });

  it('a TLS server that does not answer the handshake fails as connect-timeout', async () => {
    origin = await rawOrigin(() => undefined);
    const short = { ...options, timeout: milliseconds(50) };
    await assert.rejects(dial(at(origin.port, { secure: true }), short), failsWith('connect-timeout'));
  });

  it('is given up with the signal, before it began and while it lasts', async () => {
    origin = await rawOrigin(() => undefined);
    const gone = new WillisError('client-gone', 'test');
    const aborted = { ...options, signal: AbortSignal.abort(gone) };
    await assert.rejects(dial(at(origin.port), aborted), failsWith('client-gone'));
    const controller = new AbortController();
    const pending = dial(at(origin.port, { secure: true }), { ...options, signal: controller.signal });
    while (origin.connections.length === 0) await new Promise(setImmediate);
    controller.abort(gone);
    await assert.rejects(pending, failsWith('client-gone'));
  });

  describe('with TLS', () => {
    it('a certificate of a configured authority is accepted for its names and addresses (RFC 9110 §4.3.4)', async () => {
      const { port } = await secureOrigin();
      for (const host of ['127.0.0.1', 'localhost', 'localhost.']) {
        const guard = guardResolving('127.0.0.1');
        const socket = await dial(at(port, { host, secure: true }), { ...options, guard, ca: [certificates.ca] });
        assert.ok(socket instanceof TLSSocket && socket.authorized, 'not authorised');
        assert.equal(socket.alpnProtocol, 'http/1.1');
        socket.destroy();
      }
    });

    it('without the authority the certificate is refused (RFC 9110 §4.3.4)', async () => {
      const { port } = await secureOrigin();
      await assert.rejects(dial(at(port, { secure: true }), options), failsWith('tls-certificate'));
      const other = await makeCertificates();
      const ca = [other.ca];
      await assert.rejects(dial(at(port, { secure: true }), { ...options, ca }), failsWith('tls-certificate'));
    });

    it('a certificate for another name is refused (RFC 9110 §4.3.4)', async () => {
      const { port } = await secureOrigin();
      const trusting = { ...options, guard: guardResolving('127.0.0.1'), ca: [certificates.ca] };
      const other = at(port, { host: 'www.example.org', secure: true });
      await assert.rejects(dial(other, trusting), failsWith('tls-certificate'));
      const named = at(port, { host: 'www.example.org', servername: 'localhost', secure: true });
      (await dial(named, trusting)).destroy();
    });

    it('a server that speaks no TLS fails as tls-failed', async () => {
      origin = await rawOrigin(() => undefined, { onConnection: (socket) => void socket.write('220 hello\r\n') });
      await assert.rejects(dial(at(origin.port, { secure: true }), options), failsWith('tls-failed'));
    });

    it('a server that closes within the handshake fails as tls-failed', async () => {
      origin = await rawOrigin(() => undefined, { onConnection: (socket) => void socket.destroy() });
      await assert.rejects(dial(at(origin.port, { secure: true }), options), failsWith('tls-failed'));
    });

    it('requests go over it, and the connection is used again', async () => {
      const secure = await secureOrigin();
      const upstream = createUpstream({ ca: [certificates.ca] });
      for (let i = 0; i < 3; i++) assert.equal(await textOf(await upstream.forward(get(secure.target()), never)), 'ok');
      assert.equal(secure.connections.length, 1);
      await upstream.close();
    });
  });
});
