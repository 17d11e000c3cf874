import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const event = 'instructions';

/** Whether this machine lets perf count instructions; most virtual ones do not. */
export function countsInstructions(): boolean {
  const { error, status, stderr } = spawnSync('perf', ['stat', '-x,', '-e', event, 'true'], { encoding: 'utf8' });
  return error === undefined && status === 0 && parseCount(stderr) !== null;
}

/** A command before another one, which counts what these processes and their threads do until the other one ends. */
export const countingCommand = (pids: readonly number[], resultFile: string): string[] => [
  ...['perf', 'stat', '-x,', '-o', resultFile, '-e', event, '-p', pids.join(',')],
  '--',
];

/** @throws Error when the file has no count. */
export function readInstructions(resultFile: string): number {
  const text = readFileSync(resultFile, 'utf8');
  const count = parseCount(text);
  if (count === null) throw new Error(`perf has counted nothing: ${text.trim()}`);
  return count;
}

/** The sum of all lines `count,unit,event,…`; null where one of them has no count. */
export function parseCount(text: string): number | null {
  const lines = text.split('\n').filter((line) => line.includes(`,${event}`));
  const counts = lines.map((line) => (/^\d+,/.test(line) ? Number.parseInt(line, 10) : NaN));
  const sum = counts.reduce((a, b) => a + b, 0);
  return counts.length === 0 || Number.isNaN(sum) ? null : sum;
}
