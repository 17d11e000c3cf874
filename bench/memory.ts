import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fetchOnce } from './fetch-once.js';
import type { Origin, StatusCounts } from './origin.js';
import { bodySizes } from './origin.js';
import type { ServerProcess } from './server-process.js';

export interface MemoryResult {
  readonly beforeBytes: number;
  readonly afterBytes: number;
  readonly bytesPerResponse: number;
}

export interface MemorySubject {
  readonly server: ServerProcess;
  readonly origin: Origin;
  readonly port: number;
  /** A directory whose files count too. */
  readonly store: string | null;
}

export const storedResponses = 50_000;
const warmUpRequests = 20_000;
const connections = 32;

/**
 * What 50,000 different stored responses of 1 kB add to the memory of a server that has already forwarded as many
 * requests as it takes to be warm.
 * @throws Error when not each of them was fetched once, or not each is a hit afterwards.
 */
export async function measureMemory(subject: MemorySubject, signal: AbortSignal): Promise<MemoryResult> {
  const { server, origin, port, store } = subject;
  const walk = async (prefix: string, count: number): Promise<StatusCounts> => {
    await origin.answersSinceLast(signal);
    await fetchAll(`http://127.0.0.1:${port}${prefix}`, count, signal);
    return origin.answersSinceLast(signal);
  };
  await walk('/unstored/', warmUpRequests);
  const beforeBytes = await settledBytes(server, store, signal);
  const filled = await walk('/1k/memory/', storedResponses);
  if (filled['200'] !== storedResponses) throw new Error(`not every request was a miss: ${JSON.stringify(filled)}`);
  const afterBytes = await settledBytes(server, store, signal);
  const again = await walk('/1k/memory/', storedResponses);
  if (Object.keys(again).length > 0) throw new Error(`not everything was stored: ${JSON.stringify(again)}`);
  return { beforeBytes, afterBytes, bytesPerResponse: (afterBytes - beforeBytes) / storedResponses };
}

async function fetchAll(prefix: string, count: number, signal: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const uri = `${prefix}${next++}`;
      const { status, body } = await fetchOnce(uri, signal, agent);
      if (status !== 200 || body.length !== bodySizes['1k']) throw new Error(`${uri}: ${status}, ${body.length} bytes`);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, worker));
  } finally {
    agent.destroy();
  }
}

/** After a pause in which collectors and housekeepers do what they do when nothing is asked. */
async function settledBytes(server: ServerProcess, store: string | null, signal: AbortSignal): Promise<number> {
  await delay(3000, undefined, { signal });
  const inMemory = server.processes().reduce((sum, { pid }) => sum + proportionalBytes(pid), 0);
  return inMemory + (store === null ? 0 : allocatedBytes(store));
}

/** Resident memory of a process, what it shares with others divided among them. */
function proportionalBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]) * 1024;
}

function allocatedBytes(directory: string): number {
  let sum = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) sum += lstatSync(join(entry.parentPath, entry.name)).blocks * 512;
  }
  return sum;
}
