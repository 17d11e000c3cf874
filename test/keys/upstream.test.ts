import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { makeCertificates } from '../support/certificates.js';
import { gate } from '../support/gate.js';
import { after, answer, answerInPieces } from '../support/origin-scripts.js';
import { rawOrigin } from '../support/raw-origin.js';
import { startOrigin } from '../support/scripted-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { aWhile } from '../support/waiting.js';
import { startWillis, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

const shorter = '20ms';
const longer = '5m';

describe('the keys of upstream', () => {
  let willis: Willis;
  let dir: TempDir;

  beforeEach(async () => {
    dir = await TempDir.create();
    willis = await startWillis();
    willis.serve(answer(200, { 'Cache-Control': 'no-store' }, 'content'));
  });
  afterEach(async () => {
    await willis.stop();
    await dir.remove();
  });

  flips('upstream.ca', 'which authorities are believed', async () => {
    const { ca, leaf } = await makeCertificates();
    const origin = await startOrigin(answer(200), { tls: leaf });
    await willis.reload({ sites: [{ host: '*', origin: origin.url('/'), sendHost: 'origin' }] });
    assert.equal((await willis.get('/')).status, 502);
    await willis.reload({ upstream: { ca: [await dir.write('ca.pem', ca)] } });
    assert.equal((await willis.get('/')).status, 200);
    await willis.reload({ upstream: { ca: [] } });
    assert.equal((await willis.get('/')).status, 502);
    await origin.close();
  });

  flips('upstream.connectTimeout', 'how long a connection may take, TLS included', async () => {
    const { ca, leaf } = await makeCertificates();
    const origin = await startOrigin(answer(200), { tls: leaf });
    let held = gate();
    const front = await rawOrigin(() => undefined, {
      onConnection: (socket) => {
        socket.pause();
        void held.promise.then(() => {
          const inner = connect(origin.port, '127.0.0.1');
          inner.on('error', () => undefined);
          socket.removeAllListeners('data').pipe(inner).pipe(socket);
        });
      },
    });
    const trusting = { ca: [await dir.write('ca.pem', ca)], connectTimeout: longer };
    const url = `https://127.0.0.1:${front.port}/`;
    await willis.reload({ sites: [{ host: '*', origin: url, sendHost: 'origin' }], upstream: trusting });
    const slow = await willis.begin('GET', '/');
    await aWhile();
    held.open();
    assert.equal((await slow.receive()).status, 200);
    held = gate();
    await willis.reload({ upstream: { connectTimeout: shorter } });
    const late = await willis.get('/');
    assert.equal(late.status, 504);
    assert.match(late.get('proxy-status') ?? '', /error=connection_timeout/);
    await origin.close();
    await front.close();
  });

  flips('upstream.firstByteTimeout', 'how long an answer may take to begin', async () => {
    const held = gate();
    willis.serve(after(held, answer(200)));
    await willis.reload({ upstream: { firstByteTimeout: shorter } });
    assert.equal((await willis.get('/')).status, 504);
    await willis.reload({ upstream: { firstByteTimeout: longer } });
    const slow = await willis.begin('GET', '/other');
    await aWhile();
    held.open();
    assert.equal((await slow.receive()).status, 200);
  });

  flips('upstream.bodyTimeout', 'how long the body of an answer may make no progress', async () => {
    const half = gate();
    willis.serve(answerInPieces(200, { 'Content-Length': '6' }, 'abc', half, 'def'));
    await willis.reload({ upstream: { bodyTimeout: shorter } });
    await assert.rejects(willis.get('/'), /the connection ended/);
    await willis.reload({ upstream: { bodyTimeout: longer } });
    const slow = await willis.begin('GET', '/other');
    assert.equal((await slow.receiveHead()).status, 200);
    await aWhile();
    half.open();
    assert.equal((await slow.take(6)).toString(), 'abcdef');
  });

  flips('upstream.connections', 'how many connections there are to one origin server', async () => {
    const [first, second] = [gate(), gate()];
    willis.serve(after(first, answer(200)));
    await willis.reload({ upstream: { connections: 1 } });
    const one = [await willis.begin('GET', '/a'), await willis.begin('GET', '/b')];
    await willis.origin.received(1);
    first.open();
    for (const client of one) assert.equal((await client.receive()).status, 200);
    assert.equal(willis.origin.connections, 1);
    willis.serve(after(second, answer(200)));
    await willis.reload({ upstream: { connections: 2 } });
    const two = [await willis.begin('GET', '/c'), await willis.begin('GET', '/d')];
    await willis.origin.received(4);
    second.open();
    for (const client of two) assert.equal((await client.receive()).status, 200);
  });

  flips('upstream.keepAlive', 'how long an idle connection to an origin server is kept', async () => {
    await willis.get('/a');
    await willis.get('/b');
    assert.equal(willis.origin.connections, 1);
    await willis.reload({ upstream: { keepAlive: shorter } });
    await willis.get('/c');
    const { socket } = willis.origin.last.message;
    if (!socket.destroyed) await once(socket, 'close');
    assert.equal(willis.origin.connections, 2);
  });
});
