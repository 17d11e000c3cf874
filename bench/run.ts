import { setMaxListeners } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { circumstances } from './circumstances.js';
import { bindThisProcess } from './cores.js';
import { countsInstructions } from './instructions.js';
import { measure, type Measurement } from './measure.js';
import { measureMemory } from './memory.js';
import { parseOptions, usage, type Options } from './options.js';
import { Origin } from './origin.js';
import { withResults } from './page.js';
import { installedVersion } from './peers/installed.js';
import type { Peer } from './peers/peer.js';
import { report, type PeerMemory, type RowResult } from './report.js';
import { rows, type LoadRow } from './rows.js';
import { RunningPeer } from './running-peer.js';
import { makeScratch, removeScratch } from './scratch.js';

const page = fileURLToPath(new URL('../docs/performance.md', import.meta.url));

interface Bench {
  readonly options: Options;
  readonly peers: readonly Peer[];
  readonly origin: Origin;
  readonly instructions: boolean;
  readonly signal: AbortSignal;
}

const say = (text: string): void => void process.stderr.write(`bench: ${text}\n`);

async function run(options: Options, signal: AbortSignal): Promise<void> {
  bindThisProcess();
  requirePrograms();
  const present = options.peers.filter((peer) => peer.version() !== null);
  for (const { name } of options.peers.filter((peer) => !present.includes(peer))) {
    say(`${name} is left out: ${name === 'willis' ? 'npm run build has not been run' : 'it is not installed'}`);
  }
  if (present.length === 0) throw new Error('no peer is left');
  const instructions = countsInstructions();
  const known = circumstances(options, present, instructions);
  for (const sentence of known) say(sentence);

  const directory = makeScratch('origin');
  try {
    const origin = await Origin.start(directory, signal);
    try {
      const results = await measureAll({ options, peers: present, origin, instructions, signal });
      const text = report({ ...results, circumstances: known });
      process.stdout.write(`${text}\n`);
      if (options.write) writeFileSync(page, withResults(readFileSync(page, 'utf8'), text));
    } finally {
      await origin.stop();
    }
  } finally {
    removeScratch(directory);
  }
}

function requirePrograms(): void {
  for (const program of ['nginx', 'wrk']) {
    if (installedVersion(program, ['-v']) === null) throw new Error(`${program} is needed and not installed`);
  }
}

async function measureAll(bench: Bench): Promise<{ rows: RowResult[]; memory: PeerMemory[] | null }> {
  const results: RowResult[] = [];
  let memory: PeerMemory[] | null = null;
  for (const name of bench.options.rows) {
    if (name === 'memory') memory = await memoryRow(bench);
    else results.push(await loadRow(bench, name, rows[name]));
  }
  return { rows: results, memory };
}

/** A warm-up and the rounds; in each of them the peers take turns. */
async function loadRow(bench: Bench, name: string, row: LoadRow): Promise<RowResult> {
  const { options, signal } = bench;
  const running: RunningPeer[] = [];
  const rounds = new Map<string, Measurement[]>();
  try {
    for (const peer of bench.peers) running.push(await RunningPeer.start(peer, bench.origin, signal));
    for (const peer of running) await peer.ask(row.paths ?? [], row.bodyBytes, signal);
    for (let round = 0; round <= options.rounds; round++) {
      for (const peer of running) {
        const found = await measureTurn(bench, peer, row, `${name}-${round}`);
        if (round > 0) rounds.set(peer.name, [...(rounds.get(peer.name) ?? []), found]);
      }
    }
  } finally {
    for (const peer of running) await peer.stop();
  }
  return { title: row.title, results: [...rounds].map(([peer, measured]) => ({ peer, rounds: measured })) };
}

async function measureTurn(bench: Bench, peer: RunningPeer, row: LoadRow, turn: string): Promise<Measurement> {
  const { options, origin, instructions, signal } = bench;
  const { port, directory, server } = peer;
  const settings = { port, directory, seconds: options.seconds, connections: options.connections };
  try {
    const found = await measure({ server, origin, row, turn, instructions }, settings, signal);
    say(`${turn} ${peer.name}: ${Math.round(found.perSecond)}/s, ${found.cpuMicroseconds.toFixed(1)} µs of CPU each`);
    return found;
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${turn} ${peer.name}: ${(error as Error).message}`, { cause: error });
  }
}

async function memoryRow({ peers, origin, signal }: Bench): Promise<PeerMemory[]> {
  const results: PeerMemory[] = [];
  for (const peer of peers) {
    const running = await RunningPeer.start(peer, origin, signal);
    try {
      const { server, port, store } = running;
      const found = await measureMemory({ server, origin, port, store }, signal);
      say(`memory ${peer.name}: ${Math.round(found.bytesPerResponse)} bytes a response`);
      results.push({ peer: peer.name, ...found });
    } catch (error) {
      signal.throwIfAborted();
      throw new Error(`memory ${peer.name}: ${(error as Error).message}`, { cause: error });
    } finally {
      await running.stop();
    }
  }
  return results;
}

const interruption = new AbortController();
// Every request under way listens.
setMaxListeners(0, interruption.signal);
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => interruption.abort(new Error(`interrupted by ${name}`)));
}
try {
  if (process.argv.includes('--help')) process.stdout.write(`${usage}\n`);
  else await run(parseOptions(process.argv.slice(2)), interruption.signal);
} catch (error) {
  const { message } = interruption.signal.aborted ? (interruption.signal.reason as Error) : (error as Error);
  say(message);
  process.exitCode = interruption.signal.aborted ? 130 : 1;
}
