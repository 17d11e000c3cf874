import { ratio, table, tenths, whole } from '../table.js';
import type { FailoverBench } from './failover-bench.js';
import { ReadSite } from './read-site.js';
import { takeTurns, type Found } from './turns.js';

const documents = 64;
const lengths = [1000, 100_000];
const plain = 'stored as received from an origin server';
const proven = 'stored as proven, of a known namespace';

/** What a hit costs whose namespace is known, beside one of any other: it should be the same. */
export async function measureHits(bench: FailoverBench): Promise<string> {
  const found: [number, ReadonlyMap<string, Found>][] = [];
  for (const length of lengths) found.push([length, await measureLength(bench, length)]);
  const lines = found.flatMap(([length, all]) =>
    [...all].map(([name, { perSecond, cpuMicroseconds }]) => [
      ...[name, whole(length / 1000), whole(perSecond), tenths(cpuMicroseconds)],
      ratio(cpuMicroseconds / (all.get(plain)?.cpuMicroseconds ?? NaN)),
    ]),
  );
  return `### Hits of a client-side proxy\n\n${table(['', 'kB', 'requests/s', 'CPU µs', 'CPU : origin server'], lines)}`;
}

async function measureLength(bench: FailoverBench, length: number): Promise<ReadonlyMap<string, Found>> {
  const site = await ReadSite.start(bench, documents, length);
  try {
    return await takeTurns(bench, site, length, [
      { name: plain, node: await site.ordinary('ordinary', ''), forwards: 'none' },
      { name: proven, node: await site.finding('finding', ''), forwards: 'none' },
    ]);
  } finally {
    await site.stop();
  }
}
