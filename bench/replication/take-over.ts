import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, openSync, closeSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeScratch, removeScratch } from '../scratch.js';
import { table, tenths, whole } from '../table.js';
import { movedBytes } from './changes.js';
import { timedCommand } from './command.js';
import { loopbackBytes } from './cpu-time.js';
import { FileServer } from './file-server.js';
import { BenchNode } from './node.js';
import type { ReplicationBench } from './replication-bench.js';
import { writeSite } from './site-files.js';

interface Copied {
  readonly name: string;
  readonly seconds: number;
  readonly megabytes: number;
  readonly senderCpu: number;
  readonly receiverCpu: number;
  readonly wireBytes: number;
}

const large = 100_000_000;
const shapes = [
  { title: '2,500 files of 5 kB', count: 2500, length: 5000 },
  { title: 'one file of 100 MB', count: 1, length: large },
] as const;

/** How long a first copy takes, and what it costs at both ends. */
export async function measureTakeOver(bench: ReplicationBench): Promise<string> {
  const parts: string[] = [];
  for (const { title, count, length } of shapes) {
    const [site, copies] = [makeScratch('site'), makeScratch('copies', 'disk')];
    try {
      const paths = writeSite(site, count, length);
      const found = [
        await byNodes(bench, site, count),
        ...(await byRsync(bench, site, copies)),
        await byWget(bench, site, copies),
      ];
      parts.push(`### First copy of ${title}\n\n${copiedTable(found, paths.length * length)}`);
    } finally {
      removeScratch(site);
      removeScratch(copies);
    }
  }
  return parts.join('\n\n');
}

async function byNodes({ signal, say }: ReplicationBench, site: string, count: number): Promise<Copied> {
  const primary = await BenchNode.primary(site, 8, { name: 'primary', core: 0, signal });
  try {
    await primary.holds(count);
    await delay(2000, undefined, { signal });
    const [cpu, wire, began] = [primary.cpuSeconds, loopbackBytes(), performance.now()];
    const replica = await BenchNode.replica(primary, { name: 'replica', core: 1, signal });
    try {
      await replica.holds(count, 100);
      const seconds = (performance.now() - began) / 1000;
      say(`take-over: ${seconds.toFixed(2)} s`);
      const { bytesPulled } = (await replica.report()).counters;
      const ends = { senderCpu: primary.cpuSeconds - cpu, receiverCpu: replica.cpuSeconds };
      return {
        name: 'Willis, with the start of the replica',
        seconds,
        megabytes: bytesPulled / 1e6,
        ...ends,
        wireBytes: loopbackBytes() - wire,
      };
    } finally {
      await replica.stop();
    }
  } finally {
    await primary.stop();
  }
}

async function byRsync({ signal }: ReplicationBench, site: string, copies: string): Promise<Copied[]> {
  const server = await FileServer.rsync(site, 0, signal);
  try {
    await delay(500, undefined, { signal });
    const found: Copied[] = [];
    for (const [name, more] of [
      ['rsync -a, then sync', []],
      ['rsync -az, then sync', ['-z']],
    ] as const) {
      const target = join(copies, `rsync${more.join('')}`);
      mkdirSync(target);
      const [cpu, wire] = [server.cpuSeconds, loopbackBytes()];
      const copy = ['rsync', '-a', ...more, `rsync://127.0.0.1:${server.port}/site/`, `${target}/`];
      const { seconds, cpuSeconds } = await timedCommand(durably(copy, target), 1, signal);
      await delay(200, undefined, { signal });
      const ends = { senderCpu: server.cpuSeconds - cpu, receiverCpu: cpuSeconds };
      found.push({ name, seconds, megabytes: NaN, ...ends, wireBytes: loopbackBytes() - wire });
    }
    return found;
  } finally {
    await server.stop();
  }
}

async function byWget({ signal }: ReplicationBench, site: string, copies: string): Promise<Copied> {
  const server = await FileServer.nginx(site, 0, signal);
  try {
    const target = join(copies, 'wget');
    mkdirSync(target);
    const [cpu, wire] = [server.cpuSeconds, loopbackBytes()];
    const copy = ['wget', '-q', '-r', '-np', '-nH', '-P', target, `http://127.0.0.1:${server.port}/`];
    const { seconds, cpuSeconds } = await timedCommand(durably(copy, target), 1, signal);
    const ends = { senderCpu: server.cpuSeconds - cpu, receiverCpu: cpuSeconds };
    return {
      name: 'wget -r from nginx, then sync',
      seconds,
      megabytes: NaN,
      ...ends,
      wireBytes: loopbackBytes() - wire,
    };
  } finally {
    await server.stop();
  }
}

/** What a replica holds outlives a loss of power. */
const durably = (command: readonly string[], target: string): string[] => [
  ...['sh', '-c', '"$@" && sync -f "$0"', target],
  ...command,
];

function copiedTable(found: readonly Copied[], contentBytes: number): string {
  const heads = ['', 's', 'MB/s', 'CPU s of the sender', 'CPU s of the receiver', 'MB on the wire'];
  const lines = found.map(({ name, seconds, senderCpu, receiverCpu, wireBytes }) => [
    ...[name, seconds.toFixed(2), tenths(contentBytes / 1e6 / seconds)],
    ...[senderCpu.toFixed(2), receiverCpu.toFixed(2), tenths(wireBytes / 1e6)],
  ]);
  return table(heads, lines);
}

/** One byte in the middle of a large file. */
export async function measureDelta({ signal, say }: ReplicationBench): Promise<string> {
  const [site, copy] = [makeScratch('site'), makeScratch('copy', 'disk')];
  try {
    const [path = ''] = writeSite(site, 1, large);
    const file = join(site, path);
    const primary = await BenchNode.primary(site, 8, { name: 'primary', core: 0, signal });
    try {
      await primary.holds(1);
      const replica = await BenchNode.replica(primary, { name: 'replica', core: 1, signal });
      const server = await FileServer.rsync(site, 0, signal);
      try {
        await replica.holds(1);
        const rsync = ['rsync', '-a', '--stats', `rsync://127.0.0.1:${server.port}/site/`, `${copy}/`];
        await timedCommand(rsync, 1, signal);
        const before = (await replica.report()).counters;
        const [wire, cpu] = [loopbackBytes(), replica.cpuSeconds];
        await changeOneByte(file, signal);
        const began = performance.now();
        // whoever asks more often is seen on the wire
        await replica.holds(2, 250);
        const seconds = (performance.now() - began) / 1000;
        const { bytesPulled, bytesSpared } = (await replica.report()).counters;
        const byWillis = { pulled: bytesPulled - before.bytesPulled, wire: loopbackBytes() - wire };
        say(`delta: ${byWillis.pulled} bytes pulled, ${bytesSpared - before.bytesSpared} spared`);
        const own = replica.cpuSeconds - cpu;
        const byRsync = await timedCommand(rsync, 1, signal);
        return deltaTable([
          ['Willis', byWillis.pulled, byWillis.wire, seconds, own],
          ['rsync -a', NaN, movedBytes(byRsync.output), byRsync.seconds, byRsync.cpuSeconds],
        ]);
      } finally {
        await server.stop();
        await replica.stop();
      }
    } finally {
      await primary.stop();
    }
  } finally {
    removeScratch(site);
    removeScratch(copy);
  }
}

async function changeOneByte(file: string, signal: AbortSignal): Promise<void> {
  const temporary = join(file, '..', '.edited');
  copyFileSync(file, temporary);
  const handle = openSync(temporary, 'r+');
  writeSync(handle, randomBytes(1), 0, 1, large / 2);
  closeSync(handle);
  await delay(200, undefined, { signal });
  renameSync(temporary, file);
}

function deltaTable(lines: readonly (readonly [string, number, number, number, number])[]): string {
  const heads = ['', 'bytes of content', 'bytes on the wire', 's', 'CPU s of the receiver'];
  const cells = lines.map(([name, pulled, wire, seconds, cpu]) => [
    ...[name, whole(Number.isNaN(pulled) ? null : pulled), whole(wire), seconds.toFixed(2), cpu.toFixed(2)],
  ]);
  return `### One byte of 100 MB changed\n\n${table(heads, cells)}`;
}
