import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Asking } from '../../examples/demo/chaos/asking.js';
import { asProgram, say } from '../as-program.js';
import { bindThisProcess } from '../cores.js';
import { runFullLoad } from '../full-load.js';
import { median } from '../median.js';
import { treeTicks } from '../replication/cpu-time.js';
import { BenchNode } from '../replication/node.js';
import { makeScratch, removeScratch } from '../scratch.js';
import { ratio, table, tenths, whole } from '../table.js';

const usage = `npx tsx bench/views/hits.ts -- [--seconds 2] [--rounds 3]
  what a stored view costs a client-side proxy, beside its stored original; of the built program`;

const pages = 64;
const lengths = [3000, 100_000];

/** As a browser goes to a page over plain http, and as a program gets it. */
const accepted = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'Accept-Language': 'en-GB,en;q=0.9' };
const contestants: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  original: accepted,
  view: { ...accepted, 'Upgrade-Insecure-Requests': '1' },
};

interface Found {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly bytes: number;
}

interface Run {
  readonly seconds: number;
  readonly rounds: number;
  readonly signal: AbortSignal;
}

function pageOf(length: number): string {
  const paragraph = '<p>Some words, and <a href="/d0/1.html">a link</a>.</p>\n';
  const head = '<!doctype html>\n<html><head><meta charset="utf-8"><title>Page</title></head>\n<body>\n';
  return head + paragraph.repeat(Math.ceil((length - head.length) / paragraph.length));
}

async function measure(length: number, run: Run): Promise<ReadonlyMap<string, Found>> {
  const directory = makeScratch('site');
  mkdirSync(join(directory, 'd0'));
  for (let n = 0; n < pages; n++) writeFileSync(join(directory, 'd0', `${n}.html`), pageOf(length));
  const open: BenchNode[] = [];
  try {
    const lasting = "headers: [{ match: '**', set: { Cache-Control: 'max-age=3600' } }]";
    const primary = await BenchNode.primary(directory, 8, { name: 'primary', core: 1, signal: run.signal }, lasting);
    open.push(primary);
    await primary.holds(pages);
    const sections = 'wlis: { trust: { firstUse: true } }\nclientSide: { html: { bar: true } }\n';
    const client = await BenchNode.client(sections, { name: 'client', core: 0, signal: run.signal });
    open.push(client);
    await allViewed(client, primary, run.signal);
    return await inTurns(client, primary, length, run);
  } finally {
    for (const node of open.reverse()) await node.stop();
    removeScratch(directory);
  }
}

/** Until each page comes with a bar. */
async function allViewed(client: BenchNode, primary: BenchNode, signal: AbortSignal): Promise<void> {
  const asking = new Asking(`http://127.0.0.1:${client.port}`);
  try {
    for (let n = 0, attempt = 0; n < pages; attempt++) {
      if (attempt > 1000) throw new Error(`page ${n} does not become a view`);
      const fields = contestants['view'] ?? {};
      const { body } = await asking.get(`http://127.0.0.1:${primary.port}/d0/${n}.html`, fields, signal);
      if (body.includes('<willis-bar')) n++;
      else await delay(50, undefined, { signal });
    }
  } finally {
    asking.close();
  }
}

async function inTurns(
  client: BenchNode,
  primary: BenchNode,
  length: number,
  run: Run,
): Promise<ReadonlyMap<string, Found>> {
  const rounds = new Map<string, Found[]>(Object.keys(contestants).map((name) => [name, []]));
  for (let round = 0; round <= run.rounds; round++) {
    for (const [name, fields] of Object.entries(contestants)) {
      const found = await load(client, primary, fields, run);
      // the first is for warming up
      if (round > 0) rounds.get(name)?.push(found);
      say(`${length / 1000} kB, ${name}: ${found.cpuMicroseconds.toFixed(1)} µs of CPU each, ${found.bytes} bytes`);
    }
  }
  const middle = (all: readonly Found[], figure: keyof Found): number => median(all.map((one) => one[figure]));
  return new Map(
    [...rounds].map(([name, all]) => [
      name,
      {
        perSecond: middle(all, 'perSecond'),
        cpuMicroseconds: middle(all, 'cpuMicroseconds'),
        bytes: middle(all, 'bytes'),
      },
    ]),
  );
}

async function load(
  client: BenchNode,
  primary: BenchNode,
  fields: Readonly<Record<string, string>>,
  { seconds, signal }: Run,
): Promise<Found> {
  const directory = makeScratch('load');
  try {
    const pids = client.server.processes().map(({ pid }) => pid);
    const [ticksBefore, answeredBefore] = [treeTicks(pids), await primary.answered()];
    const host = `127.0.0.1:${primary.port}`;
    const plan = { port: client.port, path: `'http://${host}/d0/' .. n .. '.html'`, paths: pages, under: [] };
    const done = await runFullLoad(
      { ...plan, fields: { Host: host, ...fields }, directory, seconds, connections: 32 },
      signal,
    );
    const ticks = treeTicks(pids) - ticksBefore;
    const reached = ((await primary.answered()) - answeredBefore) / done.requests;
    if (done.failures > 0 || reached > 0.05) throw new Error(`${done.failures} failures, ${reached} were no hits`);
    return {
      perSecond: done.requests / done.seconds,
      cpuMicroseconds: (ticks * 10_000) / done.requests,
      bytes: Math.round(done.bytes / done.requests),
    };
  } finally {
    removeScratch(directory);
  }
}

await asProgram(usage, async (args, signal) => {
  const { values } = parseArgs({
    args: args.filter((one) => one !== '--'),
    options: { seconds: { type: 'string', default: '2' }, rounds: { type: 'string', default: '3' } },
  });
  bindThisProcess();
  const lines: string[][] = [];
  for (const length of lengths) {
    const found = await measure(length, { seconds: Number(values.seconds), rounds: Number(values.rounds), signal });
    const original = found.get('original')?.cpuMicroseconds ?? NaN;
    for (const [name, { perSecond, cpuMicroseconds }] of found) {
      const figures = [whole(perSecond), tenths(cpuMicroseconds), ratio(cpuMicroseconds / original)];
      lines.push([name, whole(length / 1000), ...figures]);
    }
  }
  process.stdout.write(`${table(['', 'kB', 'requests/s', 'CPU µs', 'CPU : original'], lines)}\n`);
});
