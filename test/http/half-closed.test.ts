import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { milliseconds } from '../../config/units.js';
import type { Request } from '../../proxy/http/message.js';
import { gate } from '../support/gate.js';
import { WatchedClock } from '../support/watched-clock.js';
import { closeServers, startServer, testLimits } from './test-server.js';

describe('a client that ends its side and waits', () => {
  afterEach(closeServers);

  it('is taken for gone when no answer begins: most that do so have left (RFC 9112 §9.6)', async () => {
    const asked = gate();
    const gone = gate();
    const clock = new WatchedClock();
    const { port } = await startServer(
      (request: Request) => {
        request.cancellation.add({ onCancelled: () => gone.open() });
        asked.open();
        return new Promise(() => undefined);
      },
      // makes the server look every 10 ms
      { clock, limits: { ...testLimits, headerTimeout: milliseconds(40) } },
    );
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await asked.promise;
    client.end();
    let seconds = 0;
    for (; !gone.isOpen; seconds++) await clock.second();
    client.destroy();
    assert.ok(seconds > 2, `${seconds} seconds`);
  });
});
