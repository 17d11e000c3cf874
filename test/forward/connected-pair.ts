import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** The two ends of one TCP connection; both may be half-closed. */
export interface ConnectedPair {
  /** The end of the client, as a test plays it. */
  readonly far: Socket;
  /** The end of the proxy. */
  readonly near: Socket;
}

export async function connectedPair(): Promise<ConnectedPair> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const far = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [near] = (await once(server, 'connection')) as [Socket];
  server.close();
  far.on('error', () => undefined);
  return { far, near };
}

/** Reads until that many bytes, or the pattern, have come; what came is returned. */
export async function readUntil(socket: Socket, done: number | string): Promise<string> {
  let text = '';
  const enough = (): boolean => (typeof done === 'number' ? text.length >= done : text.includes(done));
  while (!enough()) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) text += chunk.toString('latin1');
    else if (socket.readableEnded || socket.destroyed) throw new Error(`ended after ${JSON.stringify(text)}`);
    else await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
  }
  return text;
}

/** Reads to the end; `reset` if the connection broke instead. */
export async function readToEnd(socket: Socket): Promise<{ text: string; end: 'end' | 'reset' }> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer);
    // A reset close behind bytes shows as an end; but then there is no peer.
    return { text: Buffer.concat(chunks).toString('latin1'), end: hasPeer(socket) ? 'end' : 'reset' };
  } catch {
    return { text: Buffer.concat(chunks).toString('latin1'), end: 'reset' };
  }
}

const hasPeer = (socket: Socket): boolean => socket.writableEnded || socket.remoteAddress !== undefined;

/** Fulfilled when a connection is closed, however it came to that. */
export async function closing(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}
