import { runFullLoad } from '../full-load.js';
import { median } from '../median.js';
import { treeTicks } from '../replication/cpu-time.js';
import type { BenchNode } from '../replication/node.js';
import { makeScratch, removeScratch } from '../scratch.js';
import type { FailoverBench } from './failover-bench.js';
import type { ReadSite } from './read-site.js';

/** A proxy through which a site is read, and what is expected of it. */
export interface Contestant {
  readonly name: string;
  readonly node: BenchNode;
  /** Whether each request has to reach those who hold the site, or none. */
  readonly forwards: 'each' | 'none';
}

export interface Found {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
}

/** Measures them in turn, round by round. @returns medians by name */
export async function takeTurns(
  bench: FailoverBench,
  site: ReadSite,
  length: number,
  contestants: readonly Contestant[],
): Promise<ReadonlyMap<string, Found>> {
  const rounds = new Map<string, Found[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round <= bench.options.rounds; round++) {
    for (const one of contestants) {
      const found = await measureOne(bench, site, length, one);
      // the first is for warming up
      if (round > 0) rounds.get(one.name)?.push(found);
      const { perSecond, cpuMicroseconds } = found;
      bench.say(
        `${length / 1000} kB, ${one.name}: ${Math.round(perSecond)} requests/s, ${cpuMicroseconds.toFixed(1)} µs of CPU each`,
      );
    }
  }
  const middle = (all: readonly Found[], figure: keyof Found): number => median(all.map((one) => one[figure]));
  const medians = (all: readonly Found[]): Found => ({
    perSecond: middle(all, 'perSecond'),
    cpuMicroseconds: middle(all, 'cpuMicroseconds'),
  });
  return new Map([...rounds].map(([name, all]) => [name, medians(all)]));
}

async function measureOne(
  { signal, options }: FailoverBench,
  site: ReadSite,
  length: number,
  { name, node, forwards }: Contestant,
): Promise<Found> {
  const directory = makeScratch('load');
  try {
    const pids = node.server.processes().map(({ pid }) => pid);
    const [ticksBefore, answeredBefore] = [treeTicks(pids), await site.answered()];
    const path = `'${site.url}/d0/' .. n .. '.bin'`;
    const fields = { Host: new URL(site.url).host };
    const plan = { port: node.port, path, paths: site.documents, fields, directory, under: [] };
    const load = await runFullLoad({ ...plan, seconds: options.seconds, connections: options.connections }, signal);
    const ticks = treeTicks(pids) - ticksBefore;
    const reached = ((await site.answered()) - answeredBefore) / load.requests;
    if (load.failures > 0 || load.bytes < load.requests * length) {
      throw new Error(`${name}: ${load.failures} failures, ${load.bytes} bytes of ${load.requests} answers`);
    }
    if (forwards === 'each' ? reached < 0.95 : reached > 0.05) {
      throw new Error(`${name}: ${reached.toFixed(2)} requests to those who hold it for each of its own`);
    }
    return { perSecond: load.requests / load.seconds, cpuMicroseconds: (ticks * 10_000) / load.requests };
  } finally {
    removeScratch(directory);
  }
}
