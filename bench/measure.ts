import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { countingCommand, readInstructions } from './instructions.js';
import { runLoad, type LoadPlan } from './load.js';
import type { Origin } from './origin.js';
import type { LoadRow } from './rows.js';
import type { ServerProcess } from './server-process.js';

/** One measurement of one peer. */
export interface Measurement {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  /** Per request, in user space and kernel; null where the machine does not count them. */
  readonly instructions: number | null;
  /** The share of its core that the server used. */
  readonly busy: number;
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
}

export interface Subject {
  readonly server: ServerProcess;
  readonly origin: Origin;
  readonly row: LoadRow;
  /** A word that no other measurement has. */
  readonly turn: string;
  readonly instructions: boolean;
}

export type LoadSettings = Pick<LoadPlan, 'port' | 'seconds' | 'connections' | 'directory'>;

/**
 * Loads the server and counts what that costs it.
 * @throws Error when the answers were not what the row says: failures, short bodies, hits that were misses and so on.
 */
export async function measure(subject: Subject, settings: LoadSettings, signal: AbortSignal): Promise<Measurement> {
  const { server, origin, row, turn } = subject;
  const counted = join(settings.directory, 'perf.txt');
  const pids = server.processes().map(({ pid }) => pid);
  const under = subject.instructions ? countingCommand(pids, counted) : [];
  await origin.answersSinceLast(signal);
  const ticksBefore = cpuTicks(server);
  const plan = { ...settings, path: row.path(turn), paths: row.paths?.length ?? null, under };
  const load = await runLoad(plan, signal);
  const cpuSeconds = (cpuTicks(server) - ticksBefore) / ticksPerSecond();
  const answers = await origin.answersSinceLast(signal);

  const found = `${load.requests} requests, ${load.failures} failures, ${load.bytes} bytes; answers of the origin by status: ${JSON.stringify(answers)}`;
  if (load.requests === 0 || load.failures > 0) throw new Error(`requests failed: ${found}`);
  if (load.bytes < load.requests * row.bodyBytes) throw new Error(`bodies are too short: ${found}`);
  if (!row.isWhatItSays(load, answers, settings.connections)) throw new Error(`not ${row.title}: ${found}`);
  return {
    perSecond: load.requests / load.seconds,
    cpuMicroseconds: (cpuSeconds * 1e6) / load.requests,
    instructions: subject.instructions ? readInstructions(counted) / load.requests : null,
    busy: cpuSeconds / load.seconds,
    p50Microseconds: load.p50Microseconds,
    p99Microseconds: load.p99Microseconds,
  };
}

const cpuTicks = (server: ServerProcess): number =>
  server.processes().reduce((sum, process) => sum + process.cpuTicks, 0);

let knownTicksPerSecond = 0;

function ticksPerSecond(): number {
  knownTicksPerSecond ||= Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout);
  return knownTicksPerSecond;
}
