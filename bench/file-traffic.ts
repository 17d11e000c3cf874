import { readFileSync } from 'node:fs';
import type { ServerProcess } from './server-process.js';

/** What processes did with files, in bytes (proc(5), /proc/PID/io). */
export interface FileTraffic {
  /** Read by calls of the system, from files and (if not by recv) from connections; what is mapped is not counted. */
  readonly read: number;
  /** In pages of files that were made dirty, which the kernel writes to the disk unless they are deleted before. */
  readonly written: number;
}

/** Since the processes of a server began. */
export function fileTraffic(server: ServerProcess): FileTraffic {
  let [read, written] = [0, 0];
  for (const { pid } of server.processes()) {
    const counts = readFileSync(`/proc/${pid}/io`, 'utf8');
    const of = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(counts)?.[1]);
    read += of('rchar');
    written += of('write_bytes');
  }
  return { read, written };
}

export const trafficSince = (before: FileTraffic, now: FileTraffic): FileTraffic => ({
  read: now.read - before.read,
  written: now.written - before.written,
});
