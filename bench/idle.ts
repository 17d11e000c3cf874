import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { warmUp, type MemoryResult } from './memory.js';
import { bodySizes } from './origin.js';
import { settledBytes } from './resident.js';
import type { RunningPeer } from './running-peer.js';

/** So many that what they add stands out from what collectors and allocators keep in hand. */
export const idleConnections = 8000;
const atOnce = 32;

/**
 * What 8,000 connections add to the memory of a warm server that have each had one hit and ask for nothing more.
 * @throws Error when one of them has no answer, or none to a second request after all was measured.
 */
export async function measureIdle(peer: RunningPeer, signal: AbortSignal): Promise<MemoryResult> {
  await warmUp(peer, signal);
  const beforeBytes = await settledBytes(peer.server, peer.store, signal);
  const sockets: Socket[] = [];
  try {
    await forEach(idleConnections, async () => {
      const socket = connect(peer.port, '127.0.0.1');
      sockets.push(socket);
      await once(socket, 'connect', { signal });
      // One that is reset while it rests shows by the answer that does not come.
      socket.on('error', () => undefined);
      await askOn(socket, peer.port, signal);
    });
    const afterBytes = await settledBytes(peer.server, peer.store, signal);
    await forEach(idleConnections, (n) => askOn(sockets[n] as Socket, peer.port, signal));
    return { beforeBytes, afterBytes, bytesEach: (afterBytes - beforeBytes) / idleConnections };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** For each number below the count, some of them at once. */
async function forEach(count: number, act: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** One hit of 1 kB. */
async function askOn(socket: Socket, port: number, signal: AbortSignal): Promise<void> {
  socket.write(`GET /1k/first HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  const limit = setTimeout(() => socket.destroy(new Error('a connection that was idle is silent')), 5000);
  let answer = '';
  try {
    while (!isComplete(answer)) {
      const [part] = (await once(socket, 'data', { signal })) as [Buffer];
      answer += part.toString('latin1');
    }
  } finally {
    clearTimeout(limit);
  }
  if (!answer.startsWith('HTTP/1.1 200 ')) throw new Error(`a connection that was idle got ${answer.slice(0, 200)}`);
}

function isComplete(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n');
  return end !== -1 && answer.length >= end + 4 + bodySizes['1k'];
}
