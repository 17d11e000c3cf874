import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../proxy/base/clock.js';
import type { DemoNode } from './demo-node.js';
import { startNodes, type DemoNodes } from './demo-nodes.js';
import { writeSite } from './demo-site.js';
import { spreadLine, welcome } from './demo-text.js';
import { EditedFiles } from './edited-files.js';
import { Spread, type Spreading } from './spread.js';

// `npm run demo`: one site on four nodes, until Ctrl-C.

const ending = new AbortController();
const end = (): void => ending.abort();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
for (const stream of [process.stdout, process.stderr]) stream.on('error', end);

async function demonstrate(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'willis-demo-'));
  const started: DemoNode[] = [];
  try {
    const site = join(directory, 'primary', 'site');
    await writeSite(fileURLToPath(new URL('../../', import.meta.url)), site);
    process.stdout.write('Starting a primary and three replicas …\n');
    const nodes = await startNodes(directory, site, (node) => started.push(node), ending.signal);
    await show(nodes, site);
    return 0;
  } catch (error) {
    if (ending.signal.aborted) return 0;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    process.stdout.write('\nEnding …\n');
    await Promise.all(started.map((node) => node.stop()));
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function show(nodes: DemoNodes, site: string): Promise<void> {
  const { namespace, primary, replicas } = nodes;
  const { signal } = ending;
  const parents = await Promise.all(
    replicas.map(async (node) => [node.name, (await node.report(signal))?.ancestors[0] ?? null] as const),
  );
  const files = await EditedFiles.watch(site, primary.url, systemClock);
  const all = [primary, ...replicas];
  const names = all.map(({ name }) => name);
  process.stdout.write(`\n${welcome(nodes, new Map(parents), site)}\n`);
  for (const node of all) void node.exited.then(() => tellOfEnd(node));
  const urls = all.map(({ url }) => url);
  await new Spread({ namespace, urls, files, clock: systemClock, show: (change) => print(change, names) }).run(signal);
  files.close();
}

/** On a terminal the line grows as the change comes along; elsewhere it is written once. */
function print(change: Spreading, names: readonly string[]): void {
  const line = spreadLine(change, names, systemClock.now());
  if (!process.stdout.isTTY) {
    if (change.isOver) process.stdout.write(`${line}\n`);
    return;
  }
  const begin = '\r\u001b[K';
  process.stdout.write(begin + (change.isOver ? `${line}\n` : line.slice(0, process.stdout.columns - 1)));
}

function tellOfEnd(node: DemoNode): void {
  if (!ending.signal.aborted) process.stdout.write(`${node.name} has ended; the others go on.\n`);
}

/** npm that is killed leaves what it runs: that is known only by who the parent is. */
function endWithNpm(): void {
  if (process.env['npm_lifecycle_event'] !== 'demo') return;
  const npm = process.ppid;
  setInterval(() => {
    if (process.ppid !== npm) end();
  }, lookEvery).unref();
}

const lookEvery = 500;

endWithNpm();
process.exit(await demonstrate());
