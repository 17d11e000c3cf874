import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { Request } from '../../proxy/http/message.js';
import { gate } from '../support/gate.js';
import { closeServers, startServer } from './test-server.js';

describe('a client that ends its side and waits', () => {
  afterEach(closeServers);

  it('is taken for gone when no answer begins: most that do so have left (RFC 9112 §9.6)', async () => {
    const asked = gate();
    const gone = gate();
    const { port } = await startServer((request: Request) => {
      request.cancellation.add({ onCancelled: () => gone.open() });
      asked.open();
      return new Promise(() => undefined);
    });
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await asked.promise;
    client.end();
    await gone.promise;
    client.destroy();
    assert.equal(gone.isOpen, true);
  }).timeout(20_000);
});
