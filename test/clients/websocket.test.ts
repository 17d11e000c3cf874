import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { pattern } from './document-tree.js';
import { startNode, type NodeForClients } from './node-for-clients.js';

describe('WebSocket through the node', () => {
  let origin: Server;
  let sockets: WebSocketServer;
  let authority: string;
  let node: NodeForClients;
  before(async () => {
    origin = createServer((_request, response) => response.end()).listen(0, '127.0.0.1');
    await once(origin, 'listening');
    sockets = new WebSocketServer({ server: origin });
    sockets.on('connection', (socket) => {
      socket.on('message', (data: Buffer, binary) => socket.send(data, { binary }));
    });
    const { port } = origin.address() as AddressInfo;
    authority = `127.0.0.1:${port}`;
    const access = { connectPorts: [port], destinations: { allow: ['127.0.0.0/8'] } };
    node = await startNode({ access, sites: [{ host: '*', origin: `http://${authority}/` }] });
  });
  after(async () => {
    await (node as NodeForClients | undefined)?.stop();
    sockets.close();
    origin.close();
    origin.closeAllConnections();
  });

  /** Sends many small messages and a large one, and takes them back in order. */
  const echo = async (socket: WebSocket): Promise<void> => {
    const sent = [...Array.from({ length: 50 }, (_, i) => Buffer.from(`message ${i}`)), pattern(2 * 1024 * 1024)];
    const received: Buffer[] = [];
    const all = new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('message', (data: Buffer) => {
        received.push(data);
        if (received.length === sent.length) resolve();
      });
    });
    socket.on('open', () => {
      for (const message of sent) socket.send(message);
    });
    await all;
    assert.deepEqual(received, sent);
    socket.close(1000, 'done');
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    assert.deepEqual([code, reason.toString()], [1000, 'done']);
  };

  it('echoes through a site (RFC 9110 §7.8)', () => echo(new WebSocket(`${node.site.replace('http', 'ws')}/echo`)));

  it('echoes through the forward proxy in absolute form (RFC 9112 §3.2.2)', () => {
    const absoluteForm = (path: string): WebSocket => {
      const socket = new WebSocket(node.proxy.replace('http', 'ws'), {
        finishRequest: (sent) => {
          sent.path = path;
          sent.setHeader('Host', authority);
          sent.end();
        },
      });
      return socket;
    };
    return echo(absoluteForm(`http://${authority}/echo`));
  });

  it('echoes through a tunnel (RFC 9110 §9.3.6)', async () => {
    const { hostname, port } = new URL(node.proxy);
    const asked = request({ host: hostname, port, method: 'CONNECT', path: authority });
    asked.end();
    const [answer, tunnel] = (await once(asked, 'connect')) as [{ statusCode: number }, Socket];
    assert.equal(answer.statusCode, 200);
    await echo(new WebSocket(`ws://${authority}/echo`, { createConnection: () => tunnel }));
  });
});
