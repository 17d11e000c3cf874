import { named, type Bench } from './bench.js';
import { measure, measureLatency, type Latency, type Measurement, type Subject } from './measure.js';
import { median } from './median.js';
import type { Peer } from './peers/peer.js';
import type { RowResult } from './results.js';
import { rows, type LoadRow, type LoadRowName } from './rows.js';
import { RunningPeer, type Stored } from './running-peer.js';

/** A peer in a row, and what has been found of it so far. */
interface Entrant {
  readonly peer: RunningPeer;
  readonly stored: Stored;
  readonly rounds: Measurement[];
  readonly latencies: Latency[];
}

/**
 * All peers start anew and are warmed up; then they take turns: first in rounds at full load, after which the most that
 * each of them can do is known, then in rounds at half of that.
 */
export async function measureLoadRow(bench: Bench, name: LoadRowName): Promise<RowResult> {
  const row = rows[name];
  const running: RunningPeer[] = [];
  const entrants: Entrant[] = [];
  try {
    for (const peer of able(bench, row)) {
      running.push(await RunningPeer.start(peer, row.storage, bench.origin, bench.signal));
    }
    for (const peer of running) {
      entrants.push({ peer, stored: await peer.ask(row, bench.signal), rounds: [], latencies: [] });
    }
    await takeTurns(bench, name, entrants);
  } finally {
    for (const peer of running) await peer.stop();
  }
  const results = shown(bench, row).map((peer) => {
    const { rounds = [], latencies = [] } = entrants.find((one) => one.peer.name === peer.name) ?? {};
    return { peer: peer.name, rounds, latencies };
  });
  return { title: row.title, storage: row.storage, unit: row.unit, results };
}

const able = ({ peers }: Bench, { storage, tunnelled }: LoadRow): Peer[] =>
  peers.filter((peer) => peer.storages.includes(storage) && (peer.tunnels || !tunnelled));

/** All but those that are there for the other storage alone. */
const shown = ({ peers }: Bench, { storage }: LoadRow): Peer[] =>
  peers.filter(({ storages }) => storages.includes(storage) || storages.includes('memory'));

async function takeTurns(bench: Bench, name: LoadRowName, entrants: readonly Entrant[]): Promise<void> {
  const turnOf = (entrant: Entrant, turn: string): Subject => subjectOf(bench, entrant, name, turn);
  const { rounds } = bench.options;
  for (const entrant of entrants) await fullTurn(bench, turnOf(entrant, 'warm-up'));
  for (let round = 1; round <= rounds; round++) {
    for (const entrant of entrants) entrant.rounds.push(await fullTurn(bench, turnOf(entrant, `full-${round}`)));
  }
  for (let round = 1; round <= rounds; round++) {
    for (const entrant of entrants) {
      const rate = median(entrant.rounds.map(({ perSecond }) => perSecond)) / 2;
      entrant.latencies.push(await halfTurn(bench, turnOf(entrant, `half-${round}`), rate));
    }
  }
}

function subjectOf(bench: Bench, { peer, stored }: Entrant, name: LoadRowName, turn: string): Subject {
  const { origin, options } = bench;
  const { seconds, connections } = options;
  return { peer, stored, origin, row: rows[name], turn: `${name}-${turn}`, seconds, connections };
}

async function fullTurn({ countsProcessor, signal, say }: Bench, subject: Subject): Promise<Measurement> {
  const what = `${subject.turn} ${subject.peer.name}`;
  try {
    const found = await measure(subject, countsProcessor, signal);
    const { perSecond, cpuMicroseconds } = found;
    say(`${what}: ${Math.round(perSecond)} ${unitsOf(subject.row)}/s, ${cpuMicroseconds.toFixed(1)} µs of CPU each`);
    return found;
  } catch (error) {
    throw named(error, what, signal);
  }
}

async function halfTurn({ signal, say }: Bench, subject: Subject, rate: number): Promise<Latency> {
  const what = `${subject.turn} ${subject.peer.name}`;
  try {
    const found = await measureLatency(subject, rate, signal);
    const [p50 = '', p99 = ''] = [found.p50Microseconds, found.p99Microseconds].map((one) => (one / 1000).toFixed(2));
    say(`${what}: ${Math.round(rate)} ${unitsOf(subject.row)}/s, p50 ${p50} ms, p99 ${p99} ms`);
    return found;
  } catch (error) {
    throw named(error, what, signal);
  }
}

const unitsOf = ({ unit }: LoadRow): string => (unit === 'MB' ? 'MB' : 'requests');
