import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { RawClient } from './raw-client.js';

describe('RawClient', () => {
  let server: Server;
  let client: RawClient;
  let sockets: Socket[];

  async function connectTo(script: (socket: Socket) => void): Promise<void> {
    sockets = [];
    server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      sockets.push(socket);
      script(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = await RawClient.connect((server.address() as AddressInfo).port);
  }

  afterEach(async () => {
    client.close();
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  });

  it('reads one response at a time and shows what is left over', async () => {
    await connectTo((socket) => {
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 204 None\r\n\r\nextra');
    });
    const first = await client.receive();
    assert.equal(first.body.toString(), 'ok');
    assert.equal(first.framing, 'length');
    assert.equal((await client.receive()).reason, 'None');
    assert.equal((await client.rest()).toString(), 'extra');
    client.halfClose();
    assert.equal(await client.closed, 'end');
  });

  it('decodes chunks, extensions and trailers, and lists what came before', async () => {
    await connectTo((socket) => {
      socket.write(
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      );
      socket.write('3;x=y\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n');
    });
    const response = await client.receive();
    assert.equal(response.body.toString(), 'abc');
    assert.deepEqual(response.trailers, [['X-Sum', '1']]);
    assert.deepEqual(
      response.informational.map(({ status }) => status),
      [103],
    );
  });

  it('takes no content after HEAD, 304 and a granted CONNECT', async () => {
    await connectTo((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'.repeat(2)));
    assert.equal((await client.receive('HEAD')).framing, 'none');
    assert.equal((await client.receive('CONNECT')).framing, 'none');
  });

  it('reads a body that the end of the connection delimits', async () => {
    await connectTo((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it'));
    const response = await client.receive();
    assert.equal(response.body.toString(), 'all of it');
    assert.equal(response.framing, 'close');
  });

  it('does not take a reset for the end of a body', async () => {
    await connectTo((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\npart', () => {
        socket.once('data', () => socket.resetAndDestroy());
      });
    });
    const received = client.receive();
    received.catch(() => undefined);
    client.send('x');
    await assert.rejects(received, /reset/);
    assert.equal(await client.closed, 'reset');
  });

  const malformed = {
    'a bare LF in the head': 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n',
    'a space before the colon': 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n',
    'both framings': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n',
    'another transfer coding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'a bad chunk line': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n',
    'a chunk longer than it says': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n',
    'a short body': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc',
  };
  for (const [what, answer] of Object.entries(malformed)) {
    it(`fails the test on ${what}`, async () => {
      await connectTo((socket) => socket.end(answer));
      await assert.rejects(client.receive());
    });
  }
});
