import assert from 'node:assert/strict';
import { gate } from '../support/gate.js';
import { after, answer } from '../support/origin-scripts.js';
import type { RawClient } from '../support/raw-client.js';
import { aWhile } from '../support/waiting.js';
import { startWillis, turns, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

/** A short limit makes the node look often whether one has passed; its clock stands still unless it is moved on. */
const short = '40ms';
const long = '1d';

describe('the keys of limits for single requests', () => {
  let willis: Willis;
  let client: RawClient;

  beforeEach(async () => {
    willis = await startWillis();
    willis.serve(answer(200, { 'Cache-Control': 'no-store' }, 'content'));
    client = await willis.connect();
  });
  afterEach(() => willis.stop());

  const status = async (target: string, fields: Record<string, string> = {}): Promise<number> => {
    client.request('GET', target, { Host: 'site.test', ...fields });
    return (await client.receive()).status;
  };
  /** Lets time pass until a connection has gone. */
  const untilClosed = async (one: RawClient): Promise<void> => {
    const closed = gate();
    void one.rest().then(() => closed.open());
    while (!closed.isOpen) {
      willis.clock.advance(100);
      await turns(2);
    }
    one.close();
  };

  flips('limits.headerBytes', 'all header fields together, on connections that are open too', async () => {
    const fields = { 'X-Long': 'x'.repeat(2000) };
    assert.equal(await status('/', fields), 200);
    await willis.reload({ limits: { headerBytes: '1KiB' } });
    assert.equal(await status('/', fields), 431);
  });

  flips('limits.headers', 'the number of header fields, on connections that are open too', async () => {
    const fields = { A: '1', B: '2', C: '3' };
    assert.equal(await status('/', fields), 200);
    await willis.reload({ limits: { headers: 3 } });
    assert.equal(await status('/', fields), 431);
  });

  flips('limits.uri', 'the length of a request target, on connections that are open too', async () => {
    const target = `/${'x'.repeat(300)}`;
    assert.equal(await status(target), 200);
    await willis.reload({ limits: { uri: 256 } });
    assert.equal(await status(target), 414);
  });

  flips('limits.headerTimeout', 'how long a header may take', async () => {
    await willis.reload({ limits: { bodyTimeout: short, idleTimeout: long, headerTimeout: '20s' } });
    const [slow, other] = [await willis.connect(), await willis.connect()];
    slow.send('GET / HTTP/1.1\r\n');
    await untilClosed(slow);
    await willis.reload({ limits: { headerTimeout: long, idleTimeout: '60s' } });
    other.send('GET / HTTP/1.1\r\n');
    await untilClosed(client);
    other.send('Host: site.test\r\n\r\n');
    assert.equal((await other.receive()).status, 200);
  });

  flips('limits.idleTimeout', 'how long an idle connection is kept', async () => {
    await willis.reload({ limits: { bodyTimeout: short, headerTimeout: long, idleTimeout: '20s' } });
    await untilClosed(client);
    await willis.reload({ limits: { idleTimeout: long, headerTimeout: '60s' } });
    const [idle, slow] = [await willis.connect(), await willis.connect()];
    slow.send('GET / HTTP/1.1\r\n');
    await untilClosed(slow);
    idle.request('GET', '/', { Host: 'site.test' });
    assert.equal((await idle.receive()).status, 200);
  });

  flips('limits.bodyTimeout', 'how long the content of a request may make no progress', async () => {
    const upload = async (): Promise<RawClient> => {
      const one = await willis.connect();
      one.request('POST', '/', { Host: 'site.test', 'Content-Length': '6' }, 'abc');
      return one;
    };
    await willis.reload({ limits: { headerTimeout: short, idleTimeout: long, bodyTimeout: '20s', bodyRate: 0 } });
    await untilClosed(await upload());
    await willis.reload({ limits: { bodyTimeout: long, idleTimeout: '60s' } });
    const slow = await upload();
    await untilClosed(await willis.connect());
    slow.send('def');
    assert.equal((await slow.receive('POST')).status, 200);
    assert.equal(willis.origin.last.body.toString(), 'abcdef');
  });

  flips('limits.drainTimeout', 'how long requests under way may take when the node stops', async () => {
    const held = gate();
    willis.serve(after(held, answer(200, {}, 'late')));
    await willis.reload({ limits: { drainTimeout: '1ms' } });
    await willis.reload({ limits: { drainTimeout: '5m' } });
    client.close();
    const slow = await willis.begin('GET', '/');
    await willis.origin.received(1);
    const stopped = willis.node.stop();
    await aWhile();
    held.open();
    assert.equal((await slow.receive()).body.toString(), 'late');
    slow.close();
    await stopped;

    const other = await startWillis({ config: { limits: { drainTimeout: '5m' } }, origin: willis.origin });
    willis.serve(() => undefined);
    const stuck = await other.begin('GET', '/');
    await other.origin.received(2);
    await other.reload({ limits: { drainTimeout: '1ms' } });
    await other.node.stop();
    assert.equal((await stuck.rest()).length, 0);
  });
});
