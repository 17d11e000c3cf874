import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileTraffic, trafficSince, type FileTraffic } from './file-traffic.js';
import { runFullLoad } from './full-load.js';
import type { Load } from './load.js';
import type { Origin } from './origin.js';
import { runPacedLoad, type PacedPlan } from './paced-load.js';
import { countingCommand, readCounts } from './processor-counts.js';
import type { LoadRow } from './rows.js';
import type { RunningPeer, Stored } from './running-peer.js';
import type { ServerProcess } from './server-process.js';

/** What a peer does when it gets all it can take. Per request, or per MB if the row counts those. */
export interface Measurement {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  /** In user space and kernel; null where the machine does not count them. */
  readonly instructions: number | null;
  readonly cycles: number | null;
  /** Bytes written to files for one byte of a body; null where the row is not about that. */
  readonly writtenPerByte: number | null;
  /** The share of its core that the server used. */
  readonly busy: number;
}

/** How long requests take that come at a constant rate. */
export interface Latency {
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
}

export interface Subject {
  readonly peer: RunningPeer;
  readonly stored: Stored;
  readonly origin: Origin;
  readonly row: LoadRow;
  /** A word that no other measurement has. */
  readonly turn: string;
  readonly seconds: number;
  readonly connections: number;
}

/**
 * Loads the server as far as it goes, and counts what that costs it.
 * @throws Error when the answers were not what the row says: failures, short bodies, hits that were misses and so on.
 */
export async function measure(subject: Subject, countsProcessor: boolean, signal: AbortSignal): Promise<Measurement> {
  const { server, directory } = subject.peer;
  const counted = join(directory, 'perf.txt');
  const pids = server.processes().map(({ pid }) => pid);
  const plan = pacedPlan(subject, null, countsProcessor ? countingCommand(pids, counted) : []);
  let ticks = 0;
  const generate = async (): Promise<Load> => {
    const before = cpuTicks(server);
    const full = subject.row.tunnelled ? runPacedLoad(plan, signal) : runFullLoad({ ...plan, directory }, signal);
    const load = await full;
    ticks = cpuTicks(server) - before;
    return load;
  };
  const { load, traffic } = await checked(subject, generate, signal);
  if (subject.row.stores) await checkStored(subject, signal);
  const cpuSeconds = ticks / ticksPerSecond();
  const counts = countsProcessor ? readCounts(counted) : null;
  return {
    perSecond: load.requests / load.seconds,
    cpuMicroseconds: (cpuSeconds * 1e6) / load.requests,
    instructions: counts && counts.instructions / load.requests,
    cycles: counts && counts.cycles / load.requests,
    writtenPerByte: subject.row.stores ? traffic.written / (load.requests * subject.row.bodyBytes) : null,
    busy: cpuSeconds / load.seconds,
  };
}

/** @throws Error when the answers were not what the row says, or did not all come. */
export async function measureLatency(subject: Subject, rate: number, signal: AbortSignal): Promise<Latency> {
  return (await checked(subject, () => runPacedLoad(pacedPlan(subject, rate, []), signal), signal)).load;
}

function pacedPlan(subject: Subject, rate: number | null, under: readonly string[]): PacedPlan {
  const { peer, stored, origin, row, turn, seconds, connections } = subject;
  const { status, bodyBytes, tunnelled } = row;
  return {
    ...{ port: (tunnelled ? peer.tunnelPort : null) ?? peer.port, connections, seconds, under },
    ...{ path: row.path(turn), paths: row.paths?.length ?? null, fields: stored.fields, status, bodyBytes },
    authority: tunnelled ? `${origin.host}:${origin.port}` : null,
    rate,
    requests: rate === null ? null : Math.ceil(rate * seconds),
  };
}

async function checked(
  subject: Subject,
  generate: () => Promise<Load>,
  signal: AbortSignal,
): Promise<{ load: Load; traffic: FileTraffic }> {
  const { peer, row, origin, stored, connections } = subject;
  await origin.answersSinceLast(signal);
  const before = fileTraffic(peer.server);
  const load = await generate();
  const answers = await origin.answersSinceLast(signal);
  const traffic = trafficSince(before, fileTraffic(peer.server));
  const { requests, failures, bytes } = load;
  const found = `${requests} requests, ${failures} failures, ${bytes} bytes; answers of the origin by status: ${JSON.stringify(answers)}; bytes of files: ${JSON.stringify(traffic)}`;
  if (requests === 0 || failures > 0) throw new Error(`requests failed: ${found}`);
  if (row.status === 200 && bytes < requests * row.bodyBytes) throw new Error(`bodies are too short: ${found}`);
  if (row.status === 304 && bytes > (requests + connections) * stored.headBytes) {
    throw new Error(`not every answer was a 304: ${found}`);
  }
  const disk = { ...traffic, loses: peer.losesOnDisk };
  if (!row.isWhatItSays(load, answers, connections, disk)) throw new Error(`not ${row.title}: ${found}`);
  return { load, traffic };
}

/** @throws Error when the first requests of this turn are not hits now */
async function checkStored(subject: Subject, signal: AbortSignal): Promise<void> {
  const { peer, origin, row } = subject;
  await origin.settled(signal);
  // wrk makes request number 0 before it begins, and does not send it
  const path = row.path(subject.turn, '(n + 1)');
  await runPacedLoad({ ...pacedPlan(subject, null, []), path, connections: 1, requests: storedSample }, signal);
  const answers = await origin.answersSinceLast(signal);
  const asked = Object.values(answers).reduce((sum, count) => sum + count, 0);
  if (asked > storedSample * peer.losesOnDisk)
    throw new Error(`not ${row.title}: asked again for ${JSON.stringify(answers)}`);
}

const storedSample = 64;

const cpuTicks = (server: ServerProcess): number =>
  server.processes().reduce((sum, process) => sum + process.cpuTicks, 0);

let knownTicksPerSecond = 0;

function ticksPerSecond(): number {
  knownTicksPerSecond ||= Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout);
  return knownTicksPerSecond;
}
