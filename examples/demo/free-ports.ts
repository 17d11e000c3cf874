import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Ports of loopback on which nobody listens, all different. They are none of those that systems take for connections that
 * go out, so that a server which was ended finds its port free again. Another server may take one before it is used.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  const from = Math.floor(Math.random() * places);
  for (let i = 0; i < places && ports.length < count; i++) {
    const port = lowest + ((from + i) % places);
    if (await isFree(port)) ports.push(port);
  }
  if (ports.length < count) throw new Error('no ports are free');
  return ports;
}

/** Those ports, if nobody listens on any of them; else as many others. */
export async function preferredPorts(preferred: readonly number[]): Promise<readonly number[]> {
  const free = await Promise.all(preferred.map(isFree));
  return free.every(Boolean) ? preferred : freePorts(preferred.length);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  await once(server.close(), 'close');
  return true;
}

/** Of Linux they begin at 32768, elsewhere further up. */
const lowest = 12_000;
const places = 20_000;
