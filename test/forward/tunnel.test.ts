import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { milliseconds } from '../../config/units.js';
import { WillisError } from '../../proxy/base/errors.js';
import { DialGuard } from '../../proxy/forward/dial-guard.js';
import { openTunnel, type TunnelOptions } from '../../proxy/forward/tunnel.js';
import { makeCertificates } from '../support/certificates.js';
import { pour, rawOrigin, type RawOrigin } from '../support/raw-origin.js';
import { settled } from '../support/waiting.js';
import { closing, connectedPair, readToEnd, readUntil, type ConnectedPair } from './connected-pair.js';
import { createDialler, failsWith } from './upstream-fixture.js';

const established = 'HTTP/1.1 200 Connection Established\r\n\r\n';

describe('a tunnel', () => {
  let pair: ConnectedPair;
  let origin: RawOrigin;
  /** The origin server's end of the tunnel. */
  let onOrigin: (socket: Socket) => void;

  beforeEach(async () => {
    pair = await connectedPair();
    onOrigin = (socket) => {
      socket.removeAllListeners('data').removeAllListeners('end');
      socket.pipe(socket);
    };
    origin = await rawOrigin(() => undefined, { onConnection: (socket) => setImmediate(() => onOrigin(socket)) });
  });
  afterEach(async () => {
    pair.far.destroy();
    pair.near.destroy();
    await origin.close();
  });

  const open = (more: Partial<TunnelOptions> = {}): ReturnType<typeof openTunnel> =>
    openTunnel({
      host: '127.0.0.1',
      port: more.port ?? origin.port,
      client: pair.near,
      head: Buffer.alloc(0),
      dialler: createDialler(),
      via: '',
      idleTimeout: milliseconds(5000),
      signal: new AbortController().signal,
      ...more,
    });

  it('is announced by a 200 without Content-Length and Transfer-Encoding (RFC 9110 §9.3.6)', async () => {
    const passed = open();
    assert.equal(await readUntil(pair.far, established.length), established);
    pair.far.end();
    await passed;
  });

  it('passes what the client sent along with CONNECT first, then all in both directions, counted', async () => {
    const passed = open({ head: Buffer.from('first ') });
    await readUntil(pair.far, established);
    pair.far.end('second');
    assert.equal((await readToEnd(pair.far)).text, 'first second');
    assert.deepEqual(await passed, { bytesIn: 12, bytesOut: established.length + 12, contentOut: 12 });
  });

  it('passes the end of one side on and leaves the other direction open', async () => {
    const received: Buffer[] = [];
    onOrigin = (socket) => {
      socket.removeAllListeners('data').removeAllListeners('end');
      socket.on('data', (chunk: Buffer) => received.push(chunk));
      socket.on('end', () => socket.end(`got ${Buffer.concat(received).toString()}`));
    };
    const passed = open();
    await readUntil(pair.far, established);
    pair.far.end('question');
    assert.deepEqual(await readToEnd(pair.far), { text: 'got question', end: 'end' });
    await passed;
  });

  it('the end of the origin server is passed on while the client goes on sending', async () => {
    let received = '';
    onOrigin = (socket) => {
      socket.removeAllListeners('data').removeAllListeners('end');
      socket.end('bye');
      socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    };
    const passed = open();
    assert.equal((await readToEnd(pair.far)).text, `${established}bye`);
    pair.far.end('still here');
    await passed;
    const [socket] = origin.connections;
    await closing(socket!);
    assert.equal(received, 'still here');
  });

  it('a reset of the origin server reaches the client as a reset', async () => {
    onOrigin = (socket) => void socket.resetAndDestroy();
    const passed = open();
    await readUntil(pair.far, established);
    assert.equal((await readToEnd(pair.far)).end, 'reset');
    await passed;
  });

  it('the client going away ends the connection to the origin server', async () => {
    const passed = open();
    await readUntil(pair.far, established);
    pair.far.resetAndDestroy();
    await passed;
    const [socket] = origin.connections;
    await closing(socket!);
  });

  it('a side that stops reading holds the other back', async () => {
    let written = (): number => 0;
    const size = 64_000_000;
    onOrigin = (socket) => {
      socket.removeAllListeners('end');
      const poured = pour(socket, size);
      written = poured.written;
      void poured.done.then(() => socket.end());
    };
    const passed = open();
    await readUntil(pair.far, established);
    const taken = await settled(() => written());
    assert.ok(taken < 32_000_000, `${taken} bytes were taken`);
    pair.far.end();
    pair.far.resume();
    const { bytesOut } = await passed;
    assert.ok(bytesOut >= size, String(bytesOut));
  });

  for (const { name, connect } of [
    { name: 'a client', connect: () => Promise.resolve(pair) },
    { name: 'a client that speaks TLS', connect: () => securePair(pair) },
  ]) {
    it(`all bytes reach ${name} that reads in fits and starts, unaltered`, async () => {
      const { near, far } = await connect();
      const content = patterned(24_000_000);
      onOrigin = (socket) => void socket.end(content);
      const passed = open({ client: near });
      const received = await readInFits(far, established.length + content.length);
      assert.ok(received.subarray(established.length).equals(content), 'other bytes');
      far.end();
      assert.equal((await passed).contentOut, content.length);
      far.destroy();
    });
  }

  it('all bytes reach an origin server that reads in fits and starts, unaltered, also before it ends its side', async () => {
    const content = patterned(24_000_000);
    const received = new Promise<Buffer>((resolve) => {
      onOrigin = (socket) => {
        socket.removeAllListeners('data').removeAllListeners('end');
        resolve(readInFits(socket, content.length));
      };
    });
    const passed = open();
    await readUntil(pair.far, established);
    pair.far.end(content);
    assert.ok((await received).equals(content), 'other bytes');
    origin.connections[0]!.end();
    assert.equal((await passed).bytesIn, content.length);
  });

  it('many at a time do not mix what they carry', async () => {
    onOrigin = (socket) => {
      socket.removeAllListeners('data').removeAllListeners('end');
      socket.once('data', (chunk: Buffer) => void socket.end(patterned(1_000_000, chunk[0])));
    };
    const carry = async (seed: number): Promise<void> => {
      const { near, far } = await connectedPair();
      const passed = open({ client: near });
      await readUntil(far, established);
      far.write(Buffer.from([seed]));
      assert.ok((await readInFits(far, 1_000_000)).equals(patterned(1_000_000, seed)), 'other bytes');
      far.end();
      await passed;
    };
    await Promise.all(Array.from({ length: 20 }, (_, seed) => carry(seed)));
  });

  it('in which nothing passes for idleTimeout is closed', async () => {
    const passed = open({ idleTimeout: milliseconds(30) });
    await readUntil(pair.far, established);
    await readToEnd(pair.far);
    await passed;
  });

  it('is closed with the signal', async () => {
    const controller = new AbortController();
    const passed = open({ signal: controller.signal });
    await readUntil(pair.far, established);
    controller.abort();
    await readToEnd(pair.far);
    await passed;
  });

  it('that cannot be opened rejects, and nothing was sent to the client', async () => {
    const { port } = origin;
    const dialler = createDialler({ guard: new DialGuard({ allow: [], deny: ['private'] }) });
    await assert.rejects(open({ dialler }), failsWith('destination-refused'));
    await origin.close();
    await assert.rejects(open({ port }), failsWith('connect-refused'));
    pair.near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    assert.equal((await readToEnd(pair.far)).text, 'HTTP/1.1 502 Bad Gateway\r\n\r\n');
    origin = await rawOrigin(() => undefined);
  });

  it('whose client goes away while it is being opened is given up', async () => {
    const guard = new DialGuard({ allow: [], deny: [], lookup: () => new Promise(() => undefined) });
    const dialler = createDialler({ guard });
    const passed = open({ host: 'slow.example', dialler });
    pair.near.destroy();
    await assert.rejects(passed, failsWith('client-gone'));
    await assert.rejects(open({ host: 'slow.example', dialler }), failsWith('client-gone'));
  });

  it('is not opened when the signal has been given before', async () => {
    await assert.rejects(open({ signal: AbortSignal.abort() }), WillisError);
    assert.equal(origin.connections.length, 0);
  });
});

/** Bytes of which no stretch is like another. */
function patterned(size: number, seed = 0): Buffer {
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let n = 0; n < words.length; n++) words[n] = Math.imul(n + seed * 0x01000193, 0x9e3779b1);
  return Buffer.from(words.buffer, 0, size);
}

/** Reads so many bytes, stopping now and then, so that those who write have to wait. */
function readInFits(socket: Socket, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(new Error(`closed after ${length} bytes`));
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= size) {
        socket.off('data', onData).off('close', onClose).pause();
        resolve(Buffer.concat(chunks));
      } else if (chunks.length % 32 === 0) {
        socket.pause();
        setTimeout(() => socket.resume(), 5);
      }
    };
    socket.on('close', onClose).on('data', onData);
  });
}

/** TLS on a connection. */
async function securePair({ near, far }: ConnectedPair): Promise<{ near: Socket; far: Socket }> {
  const { ca, leaf } = await makeCertificates();
  const secureNear = new TLSSocket(near, { isServer: true, ...leaf });
  const secureFar = connectTls({ socket: far, ca, host: 'localhost' });
  await once(secureFar, 'secureConnect');
  return { near: secureNear, far: secureFar };
}
