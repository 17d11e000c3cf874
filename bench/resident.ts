import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServerProcess } from './server-process.js';

/**
 * What a server holds in memory, the files of its store included, after a pause in which collectors and housekeepers do
 * what they do when nothing is asked.
 */
export async function settledBytes(server: ServerProcess, store: string | null, signal: AbortSignal): Promise<number> {
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
