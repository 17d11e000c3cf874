import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { breakOff } from '../../proxy/forward/break-off.js';
import { makeCertificates } from '../support/certificates.js';
import { closing, connectedPair, readToEnd } from './connected-pair.js';

describe('breaking a connection off', () => {
  it('is a reset for the other side', async () => {
    const { near, far } = await connectedPair();
    breakOff(near);
    assert.equal((await readToEnd(far)).end, 'reset');
    far.destroy();
  });

  it('closes it where TLS is spoken, at either end (RFC 8446 §6.1)', async () => {
    const certificates = await makeCertificates();
    for (const breaking of ['client', 'server'] as const) {
      const server = createServer(certificates.leaf);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const client: TLSSocket = connect({ port, host: '127.0.0.1', ca: certificates.ca, servername: 'localhost' });
      const [accepted] = (await once(server, 'secureConnection')) as [Socket];
      for (const socket of [client, accepted]) socket.on('error', () => undefined).resume();
      breakOff(breaking === 'client' ? client : accepted);
      await Promise.all([closing(client), closing(accepted)]);
      server.close();
    }
  });

  it('is nothing where it is closed already', async () => {
    const { near, far } = await connectedPair();
    near.destroy();
    breakOff(near);
    far.destroy();
  });
});
