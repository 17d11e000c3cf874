import { cores } from '../cores.js';
import { fetchOnce } from '../fetch-once.js';
import { runFullLoad } from '../full-load.js';
import { median } from '../median.js';
import { Origin } from '../origin.js';
import { willis } from '../peers/willis.js';
import { rows } from '../rows.js';
import { RunningPeer } from '../running-peer.js';
import { makeScratch, removeScratch } from '../scratch.js';
import type { ServerProcess } from '../server-process.js';
import { ratio, table, tenths, whole } from '../table.js';
import { treeTicks } from './cpu-time.js';
import { FileServer } from './file-server.js';
import { BenchNode } from './node.js';
import type { ReplicationBench } from './replication-bench.js';
import { writeSite } from './site-files.js';

/** Somebody who answers the same contents. */
interface Server {
  readonly name: string;
  readonly server: ServerProcess;
  readonly port: number;
  /** An expression of Lua for the path of request number `n`. */
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
}

interface Found {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
}

const documents = 64;
const cacheHit = 'Willis, hit of the cache';
const staticFiles = 'nginx, static files';
const sizes = { '1k': 1000, '100k': 100_000 } as const;
type Size = keyof typeof sizes;

/** Documents at a primary and at its replica, beside the same files of an nginx and hits of the cache in memory. */
export async function measureHits(bench: ReplicationBench): Promise<string> {
  const parts: string[] = [];
  for (const size of Object.keys(sizes) as Size[]) parts.push(await measureSize(bench, size));
  return parts.join('\n\n');
}

async function measureSize(bench: ReplicationBench, size: Size): Promise<string> {
  const { signal } = bench;
  const [site, originFiles] = [makeScratch('site'), makeScratch('origin')];
  const open: { stop: () => Promise<void> }[] = [];
  const opened = <T extends { stop: () => Promise<void> }>(one: T): T => {
    open.push(one);
    return one;
  };
  try {
    writeSite(site, documents, sizes[size]);
    const core = cores.server;
    const primary = opened(await BenchNode.primary(site, 8, { name: 'primary', core, signal }));
    await primary.holds(documents);
    const replica = opened(await BenchNode.replica(primary, { name: 'replica', core, signal }));
    await replica.holds(documents);
    const nginx = opened(await FileServer.nginx(site, core, signal));
    const origin = opened(await Origin.start(originFiles, signal));
    const cache = opened(await RunningPeer.start(willis, 'memory', origin, signal));
    await cache.ask(rows[`hit-${size}`], signal);
    const host = { Host: `127.0.0.1:${primary.port}` };
    const found = await takeTurns(bench, size, [
      { name: 'Willis, primary', server: primary.server, port: primary.port, path: documentPath, fields: host },
      { name: 'Willis, replica', server: replica.server, port: replica.port, path: documentPath, fields: host },
      { name: cacheHit, server: cache.server, port: cache.port, path: rows[`hit-${size}`].path(''), fields: {} },
      { name: staticFiles, server: nginx.server, port: nginx.port, path: documentPath, fields: {} },
    ]);
    return `### Documents of ${sizes[size] / 1000} kB\n\n${hitTable(found)}`;
  } finally {
    for (const one of open.reverse()) await one.stop();
    removeScratch(site);
    removeScratch(originFiles);
  }
}

const documentPath = `'/d0/' .. n .. '.bin'`;

async function takeTurns(
  bench: ReplicationBench,
  size: Size,
  servers: readonly Server[],
): Promise<ReadonlyMap<string, Found>> {
  const rounds = new Map<string, Found[]>(servers.map(({ name }) => [name, []]));
  for (const one of servers) await checkAnswer(bench, one, sizes[size]);
  for (let round = 0; round <= bench.options.rounds; round++) {
    for (const one of servers) {
      const found = await measureOne(bench, one, sizes[size]);
      // the first is for warming up
      if (round > 0) rounds.get(one.name)?.push(found);
      const { perSecond, cpuMicroseconds } = found;
      bench.say(
        `${size} ${one.name}: ${Math.round(perSecond)} requests/s, ${cpuMicroseconds.toFixed(1)} µs of CPU each`,
      );
    }
  }
  const middle = (all: readonly Found[], figure: keyof Found): number => median(all.map((one) => one[figure]));
  return new Map(
    [...rounds].map(([name, all]) => [
      name,
      { perSecond: middle(all, 'perSecond'), cpuMicroseconds: middle(all, 'cpuMicroseconds') },
    ]),
  );
}

async function checkAnswer(
  { signal }: ReplicationBench,
  { name, port, fields, path }: Server,
  length: number,
): Promise<void> {
  if (path !== documentPath) return;
  const { status, body } = await fetchOnce(`http://127.0.0.1:${port}/d0/7.bin`, signal, fields);
  if (status !== 200 || body.length !== length) throw new Error(`${name}: ${status}, ${body.length} bytes`);
}

async function measureOne(bench: ReplicationBench, one: Server, length: number): Promise<Found> {
  const { signal, options } = bench;
  const directory = makeScratch('load');
  try {
    const pids = one.server.processes().map(({ pid }) => pid);
    const before = treeTicks(pids);
    const plan = { port: one.port, path: one.path, paths: documents, fields: one.fields, directory, under: [] };
    const load = await runFullLoad({ ...plan, seconds: options.seconds, connections: options.connections }, signal);
    const ticks = treeTicks(pids) - before;
    if (load.failures > 0 || load.bytes < load.requests * length) {
      throw new Error(`${one.name}: ${load.failures} failures, ${load.bytes} bytes of ${load.requests} answers`);
    }
    return { perSecond: load.requests / load.seconds, cpuMicroseconds: (ticks * 10_000) / load.requests };
  } finally {
    removeScratch(directory);
  }
}

function hitTable(found: ReadonlyMap<string, Found>): string {
  const nginx = found.get(staticFiles);
  const cache = found.get(cacheHit);
  const by = (value: number, other: number | undefined): string => ratio(other === undefined ? null : value / other);
  const heads = ['', 'requests/s', 'CPU µs', 'per second : nginx', 'CPU : nginx', 'CPU : cache hit'];
  const lines = [...found].map(([name, { perSecond, cpuMicroseconds }]) => [
    ...[name, whole(perSecond), tenths(cpuMicroseconds), by(perSecond, nginx?.perSecond)],
    ...[by(cpuMicroseconds, nginx?.cpuMicroseconds), by(cpuMicroseconds, cache?.cpuMicroseconds)],
  ]);
  return table(heads, lines);
}
