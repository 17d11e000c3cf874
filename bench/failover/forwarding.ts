import { ratio, table, tenths, whole } from '../table.js';
import type { FailoverBench } from './failover-bench.js';
import { ReadSite } from './read-site.js';
import { takeTurns, type Found } from './turns.js';

const documents = 64;
const lengths = [1000, 100_000, 10_000_000];
const ordinary = 'ordinary upstream, from the primary';
const failover = 'failover upstream, proven, from a replica or the primary';

/** What a request costs that is not answered out of the cache: by the ordinary upstream, and by that which believes nobody. */
export async function measureForwarding(bench: FailoverBench): Promise<string> {
  const found: [number, ReadonlyMap<string, Found>][] = [];
  for (const length of lengths) found.push([length, await measureLength(bench, length)]);
  const heads = ['', 'kB', 'requests/s', 'CPU µs', 'CPU : ordinary', 'CPU µs more', 'of that for each MB'];
  const lines = found.flatMap(([length, all]) =>
    [...all].map(([name, { perSecond, cpuMicroseconds }]) => {
      const base = all.get(ordinary)?.cpuMicroseconds ?? NaN;
      const more = cpuMicroseconds - base;
      return [
        ...[name, whole(length / 1000), whole(perSecond), tenths(cpuMicroseconds), ratio(cpuMicroseconds / base)],
        ...(name === ordinary ? ['–', '–'] : [tenths(more), length < 100_000 ? '–' : whole((more / length) * 1e6)]),
      ];
    }),
  );
  return `### Requests that are forwarded by a client-side proxy\n\n${table(heads, lines)}`;
}

async function measureLength(bench: FailoverBench, length: number): Promise<ReadonlyMap<string, Found>> {
  const site = await ReadSite.start(bench, documents, length);
  try {
    // on loopback, and nothing is stored: each request goes further in
    const sections = `cache: { rules: [{ match: '${site.url}/', store: false }] }\n`;
    return await takeTurns(bench, site, length, [
      { name: ordinary, node: await site.ordinary('ordinary', sections), forwards: 'each' },
      { name: failover, node: await site.finding('finding', sections), forwards: 'each' },
    ]);
  } finally {
    await site.stop();
  }
}
