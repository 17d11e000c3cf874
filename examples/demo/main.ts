import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../proxy/base/clock.js';
import { Front } from './chaos/front.js';
import { runChaos } from './chaos/run-chaos.js';
import type { DemoNode } from './demo-node.js';
import { startNodes, type DemoNodes } from './demo-nodes.js';
import { writeSite } from './demo-site.js';
import { spreadLine, welcome } from './demo-text.js';
import { EditedFiles } from './edited-files.js';
import { parseOptions, usage, type DemoOptions } from './options.js';
import { Spread, type Spreading } from './spread.js';
import { WrittenFiles } from './chaos/written-files.js';

// `npm run demo`: one site on four nodes, with a directory and a client-side proxy, until Ctrl-C; or the same under faults.

const ending = new AbortController();
const end = (): void => ending.abort();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
for (const stream of [process.stdout, process.stderr]) stream.on('error', end);

async function demonstrate(options: Exclude<DemoOptions, { mode: 'help' }>): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'willis-demo-'));
  const started: DemoNode[] = [];
  const fronts = new Map<string, Front>();
  const open = async (name: string, url: string, behind: string): Promise<void> => {
    fronts.set(name, await Front.open(url, behind));
  };
  try {
    const site = join(directory, 'primary', 'site');
    await writeSite(fileURLToPath(new URL('../../', import.meta.url)), site);
    const files = options.mode === 'chaos' ? await WrittenFiles.write(site) : null;
    process.stdout.write('Starting a primary, three replicas, a WLIS directory and a client-side proxy …\n');
    const { signal } = ending;
    const front = options.mode === 'chaos' ? open : null;
    const nodes = await startNodes({ directory, site, started: (node) => started.push(node), front, signal });
    if (options.mode === 'chaos' && files !== null) {
      return await runChaos({ ...options, nodes, fronts, site, files, out: process.stdout, signal });
    }
    await show(nodes, site);
    return 0;
  } catch (error) {
    if (ending.signal.aborted) return 0;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    process.stdout.write('\nEnding …\n');
    await Promise.all(started.map((node) => node.stop()));
    await Promise.all([...fronts.values()].map((one) => one.close()));
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function show(nodes: DemoNodes, site: string): Promise<void> {
  const { namespace, primary, replicas, wlis, proxy } = nodes;
  const { signal } = ending;
  const parents = await Promise.all(
    replicas.map(async (node) => [node.name, (await node.report(signal))?.ancestors[0] ?? null] as const),
  );
  const files = await EditedFiles.watch(site, primary.url, systemClock);
  const holders = [primary, ...replicas];
  const names = holders.map(({ name }) => name);
  process.stdout.write(`\n${welcome(nodes, new Map(parents), site)}\n`);
  for (const node of [...holders, wlis, proxy]) void node.exited.then(() => tellOfEnd(node));
  const urls = holders.map(({ url }) => url);
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

function chosen(): DemoOptions | string {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const options = chosen();
if (typeof options === 'string') {
  process.stderr.write(`${options}\n\n${usage}`);
  process.exit(2);
}
if (options.mode === 'help') {
  process.stdout.write(usage);
  process.exit(0);
}
endWithNpm();
process.exit(await demonstrate(options));
