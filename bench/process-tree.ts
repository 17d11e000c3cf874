import { readdirSync, readFileSync } from 'node:fs';

/** A process as the kernel counts it (proc(5), /proc/PID/stat). */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Ticks after boot; with the pid it names one process for ever. */
  readonly startTime: number;
  /** User and system time of all threads, ended ones included. */
  readonly cpuTicks: number;
}

/** A living process and all its descendants; empty when it is gone. */
export function processTree(root: number): Process[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((one) => one !== null);
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

/** Null when there is no such process, or only what its parent has not yet collected of it. */
export function readProcess(pid: number): Process | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The name in parentheses may contain anything; the fields after it are numbered from 3.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number): number => Number(fields[number - 3]);
  if (fields[0] === 'Z') return null;
  return { pid, parent: field(4), startTime: field(22), cpuTicks: field(14) + field(15) };
}
