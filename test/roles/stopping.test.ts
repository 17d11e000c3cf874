import assert from 'node:assert/strict';
import { makeCertificates, writePem } from '../support/certificates.js';
import { gate } from '../support/gate.js';
import { RawClient } from '../support/raw-client.js';
import { rawOrigin, type RawOrigin } from '../support/raw-origin.js';
import { TempDir } from '../support/temp-dir.js';
import { startWillis, turns, type Willis } from '../support/willis.js';

describe('a node that stops', () => {
  let echo: RawOrigin;
  let dir: TempDir;
  let willis: Willis;

  beforeEach(async () => {
    dir = await TempDir.create();
    echo = await rawOrigin((socket, text) => void socket.write(text));
    willis = await startWillis({ config: { limits: { drainTimeout: '5m' }, access: { connectPorts: [echo.port] } } });
  });
  afterEach(async () => {
    await echo.close();
    await willis.stop();
    await dir.remove();
  });

  const tunnel = async (secure: boolean): Promise<RawClient> => {
    const options = secure ? { tls: { rejectUnauthorized: false } } : {};
    const client = await RawClient.connect(willis.proxyPort, options);
    client.send(`CONNECT 127.0.0.1:${echo.port} HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal((await client.receiveHead()).status, 200);
    return client;
  };
  const passes = async (client: RawClient): Promise<void> => {
    client.send('on\r\n\r\n');
    assert.equal((await client.take(6)).toString(), 'on\r\n\r\n');
  };

  for (const secure of [false, true]) {
    it(`ends a tunnel on which nothing passes for a second, and not one in use${secure ? ', over TLS' : ''}`, async () => {
      if (secure) {
        const { leaf } = await makeCertificates();
        await willis.reload({ listen: { proxy: { address: '127.0.0.1:0', tls: await writePem(dir, leaf) } } });
      }
      const [idle, busy] = [await tunnel(secure), await tunnel(secure)];
      const stopped = willis.node.stop();
      const ended = gate();
      void idle.rest().then(() => {
        idle.close();
        ended.open();
      });
      while (!ended.isOpen) {
        await passes(busy);
        willis.clock.advance(20);
        await turns(5);
      }
      await passes(busy);
      busy.close();
      await stopped;
    });
  }
});
