import { mkdirSync, readFileSync } from 'node:fs';
import { request, Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { makeScratch, removeScratch } from '../scratch.js';
import { table, tenths, whole } from '../table.js';
import { timedCommand } from './command.js';
import { loopbackBytes } from './cpu-time.js';
import { BenchNode } from './node.js';
import type { ReplicationBench } from './replication-bench.js';
import { prepareEdits, writeSite, type PreparedEdit } from './site-files.js';

const documents = 500;
const length = 5000;

interface Spread {
  readonly name: string;
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
  readonly bytesPerEdit: number;
}

/** How long an edit takes to all replicas, and how many bytes go over the wire for it, in trees of two shapes and by rsync. */
export async function measureChanges(bench: ReplicationBench): Promise<string> {
  const { replicas, edits } = bench.options;
  const found: Spread[] = [];
  for (const fanOut of [8, 2]) found.push(await spreadByNodes(bench, fanOut));
  found.push(await spreadByRsync(bench));
  const heads = ['', 'p50 ms', 'p99 ms', 'slowest ms', 'bytes an edit'];
  const lines = found.map(({ name, p50, p99, slowest, bytesPerEdit }) => [
    ...[name, tenths(p50), tenths(p99), tenths(slowest), whole(bytesPerEdit)],
  ]);
  const title = `### From the rename at the primary to the last of ${replicas} replicas, ${edits} edits of 5 kB`;
  return `${title}\n\n${table(heads, lines)}`;
}

async function spreadByNodes(bench: ReplicationBench, fanOut: number): Promise<Spread> {
  const { options, signal, say } = bench;
  const site = makeScratch('site');
  const nodes: BenchNode[] = [];
  const agent = new Agent({ keepAlive: true });
  try {
    const paths = writeSite(site, documents, length);
    const primary = await BenchNode.primary(site, fanOut, { name: 'primary', core: 0, storage, signal });
    nodes.push(primary);
    await primary.holds(documents);
    for (let n = 0; n < options.replicas; n++) {
      const replica = await BenchNode.replica(primary, { name: `replica-${n}`, core: (n + 1) % 2, storage, signal });
      nodes.push(replica);
      await replica.holds(documents);
    }
    const [timed, counted] = [paths.slice(0, options.edits), paths.slice(-quietEdits)];
    await delay(3000, undefined, { signal });
    const times: number[] = [];
    const lookAt = nodes.slice(1).map((node) => () => servedBy(node, primary, agent, signal));
    for (const edit of await prepared(site, timed, signal)) {
      times.push(
        await timeOf(
          edit,
          lookAt.map((look) => async (path: string) => look()(path)),
        ),
      );
      await delay(100, undefined, { signal });
    }
    const bytesPerEdit = await bytesOfEdits(await prepared(site, counted, signal), signal);
    await nodes.at(-1)?.holds(documents + options.edits + quietEdits);
    const name = `Willis, fanOut ${fanOut}`;
    say(`${name}: p50 ${atShare(times, 0.5).toFixed(1)} ms, p99 ${atShare(times, 0.99).toFixed(1)} ms`);
    return { name, p50: atShare(times, 0.5), p99: atShare(times, 0.99), slowest: Math.max(...times), bytesPerEdit };
  } finally {
    agent.destroy();
    for (const node of nodes.reverse()) await node.stop();
    removeScratch(site);
  }
}

/** In memory: nine nodes that wait for the same disk would measure that. */
const storage = 'memory';
const quietEdits = 20;
const pause = 500;

/** Some time before they are moved, so that moving is the last that happened to them. */
async function prepared(site: string, paths: readonly string[], signal: AbortSignal): Promise<PreparedEdit[]> {
  const edits = prepareEdits(site, paths, length);
  await delay(1500, undefined, { signal });
  return edits;
}

/** @returns milliseconds until the last of those who are looked at has it */
async function timeOf(edit: PreparedEdit, looks: readonly ((path: string) => Promise<Buffer>)[]): Promise<number> {
  const began = performance.now();
  edit.apply();
  const untilThere = async (look: (path: string) => Promise<Buffer>): Promise<void> => {
    while (!(await look(edit.path)).equals(edit.content)) {
      if (performance.now() - began > 30_000) throw new Error(`${edit.path} does not come to all`);
      await delay(1);
    }
  };
  await Promise.all(looks.map(untilThere));
  return performance.now() - began;
}

/** On loopback while nobody looks, less what goes over it in as long a time without edits. */
async function bytesOfEdits(edits: readonly PreparedEdit[], signal: AbortSignal): Promise<number> {
  const during = async (act: (n: number) => void): Promise<number> => {
    const before = loopbackBytes();
    for (let n = 0; n < edits.length; n++) {
      act(n);
      await delay(pause, undefined, { signal });
    }
    return loopbackBytes() - before;
  };
  const idle = await during(() => undefined);
  return ((await during((n) => edits[n]?.apply())) - idle) / edits.length;
}

/** What a visitor gets there. */
function servedBy(
  node: BenchNode,
  primary: BenchNode,
  agent: Agent,
  signal: AbortSignal,
): (path: string) => Promise<Buffer> {
  return (path) =>
    new Promise((resolve, reject) => {
      const headers = { Host: `127.0.0.1:${primary.port}` };
      const options = { host: '127.0.0.1', port: node.port, path: `/${path}`, agent, headers, signal };
      request(options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve(Buffer.concat(parts)));
        response.on('error', reject);
      })
        .on('error', reject)
        .end();
    });
}

/** One script that copies to one directory after the other, by a pipe and without a network, and rests for a second. */
async function spreadByRsync(bench: ReplicationBench): Promise<Spread> {
  const { options, signal, say } = bench;
  const [site, copies] = [makeScratch('site'), makeScratch('copies')];
  const targets = Array.from({ length: options.replicas }, (_, n) => join(copies, String(n)));
  try {
    const paths = writeSite(site, documents, length);
    for (const target of targets) mkdirSync(target);
    const commands = targets.map((target) => `rsync -a --checksum --exclude '.*' '${site}/' '${target}/'`);
    await timedCommand(['sh', '-c', commands.join('; ')], 0, signal);
    const edits = await prepared(site, paths.slice(0, Math.min(options.edits, 30)), signal);
    const script = `while :; do ${commands.join('; ')}; sleep 1; done`;
    const loop = spawn('sh', ['-c', script], { stdio: 'ignore', detached: true });
    const ended = once(loop, 'close');
    const times: number[] = [];
    try {
      for (const [n, edit] of edits.entries()) {
        // at every moment of the second
        await delay(150 + ((n * 370) % 1000), undefined, { signal });
        const looks = targets.map((target) => (path: string) => Promise.resolve(readFileSync(join(target, path))));
        times.push(await timeOf(edit, looks));
      }
    } finally {
      if (loop.pid !== undefined) process.kill(-loop.pid, 'SIGKILL');
      await ended;
    }
    const name = 'rsync -a --checksum every second, on one machine';
    say(`${name}: p50 ${atShare(times, 0.5).toFixed(1)} ms`);
    const bytesPerEdit = await bytesByRsync(site, targets, signal);
    return { name, p50: atShare(times, 0.5), p99: atShare(times, 0.99), slowest: Math.max(...times), bytesPerEdit };
  } finally {
    removeScratch(site);
    removeScratch(copies);
  }
}

/** What one round of all copies moves for one edit, as rsync counts it. */
async function bytesByRsync(site: string, targets: readonly string[], signal: AbortSignal): Promise<number> {
  const [edit] = await prepared(site, ['d0/1.bin'], signal);
  edit?.apply();
  let sum = 0;
  for (const target of targets) {
    const command = ['rsync', '-a', '--checksum', '--exclude', '.*', '--stats', `${site}/`, `${target}/`];
    sum += movedBytes((await timedCommand(command, 0, signal)).output);
  }
  return sum;
}

/** From `--stats`, in both directions. */
export function movedBytes(output: string): number {
  const of = (name: string): number =>
    Number(new RegExp(`^Total bytes ${name}: ([\\d,.]+)`, 'm').exec(output)?.[1]?.replaceAll(/[,.]/g, ''));
  return of('sent') + of('received');
}

function atShare(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
