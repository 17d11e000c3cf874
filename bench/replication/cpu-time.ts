import { readFileSync } from 'node:fs';

/** Ticks of these processes and of all children of theirs that have ended (proc(5), /proc/PID/stat). */
export const treeTicks = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + ticksOf(pid), 0);

function ticksOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // user and system time of its own, then of children that were waited for; fields are numbered from 3
  return [14, 15, 16, 17].reduce((sum, number) => sum + Number(fields[number - 3]), 0);
}

/** Bytes on the loopback interface of this network namespace, heads of IP and TCP included. */
export function loopbackBytes(): number {
  const line = /^\s*lo:\s*(\d+)/m.exec(readFileSync('/proc/self/net/dev', 'utf8'));
  return Number(line?.[1]);
}
