import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What a processor counts, in user space and kernel together where the kernel lets it. */
export interface ProcessorCounts {
  readonly instructions: number;
  readonly cycles: number;
}

const events = ['instructions', 'cycles'] as const;

/** Whether this machine lets perf count instructions and cycles; most virtual ones do not. */
export function hasProcessorCounts(): boolean {
  const { error, status, stderr } = spawnSync('perf', ['stat', '-x,', '-e', events.join(','), 'true'], {
    encoding: 'utf8',
  });
  return error === undefined && status === 0 && parseCounts(stderr) !== null;
}

/** A command before another one, which counts what these processes and their threads do until the other one ends. */
export const countingCommand = (pids: readonly number[], resultFile: string): string[] => [
  ...['perf', 'stat', '-x,', '-o', resultFile, '-e', events.join(','), '-p', pids.join(',')],
  '--',
];

/** @throws Error when the file has no counts. */
export function readCounts(resultFile: string): ProcessorCounts {
  const text = readFileSync(resultFile, 'utf8');
  const counts = parseCounts(text);
  if (counts === null) throw new Error(`perf has counted nothing: ${text.trim()}`);
  return counts;
}

/** The sums of all lines `count,unit,event,…`; null where an event has no line, or one without a count. */
export function parseCounts(text: string): ProcessorCounts | null {
  const [instructions = null, cycles = null] = events.map((event) => sumOf(text, event));
  return instructions === null || cycles === null ? null : { instructions, cycles };
}

function sumOf(text: string, event: string): number | null {
  const lines = text.split('\n').filter((line) => line.split(',')[2]?.split(':')[0] === event);
  const counts = lines.map((line) => (/^\d+,/.test(line) ? Number.parseInt(line, 10) : NaN));
  const sum = counts.reduce((a, b) => a + b, 0);
  return counts.length === 0 || Number.isNaN(sum) ? null : sum;
}
