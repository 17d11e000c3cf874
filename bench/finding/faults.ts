import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contentOf } from '../../test/faults/content.js';
import { clientSections, Constellation } from '../../test/support/constellation.js';
import { LyingParent } from '../../test/support/lying-parent.js';
import { installedVersion } from '../peers/installed.js';
import { makeScratch, removeScratch } from '../scratch.js';
import { freePort, ServerProcess } from '../server-process.js';
import { table, tenths, whole } from '../table.js';
import { balancers } from './balancers.js';
import { faultKinds, type FaultKind } from './fault-kinds.js';
import { linesOf, type ReadDocument, type ReadingPlan, type ReadingReport } from './readers.js';

const usage = `npx tsx bench/finding/faults.ts [options]
  --seconds 15       for one kind of fault at one server
  --readers 200      at a time
  --pause 6000       most milliseconds that a reader waits between two requests
  --replicas 2       beside the primary; each of them fails in turn, then the primary
  --servers willis,nginx,haproxy
  --faults ${faultKinds.map(({ name }) => `'${name}'`).join(',')}
  --seed 1`;

interface Options {
  readonly seconds: number;
  readonly readers: number;
  readonly pause: number;
  readonly replicas: number;
  readonly servers: readonly string[];
  readonly faults: readonly FaultKind[];
  readonly seed: number;
}

/** How long a server may be silent. */
const patience = 1000;

/** Seconds before each cell, of the same but without a fault and without figures. */
const warmUp = 3;

/** From 10 kB to 50 MB, the long ones as seldom as people ask for them. */
const kinds: readonly (readonly [length: number, documents: number, weight: number])[] = [
  [10_000, 60, 60],
  [100_000, 20, 25],
  [1_000_000, 5, 8],
  [10_000_000, 2, 0.8],
  [50_000_000, 1, 0.1],
];

const documents = kinds.flatMap(([length, count, weight]) =>
  Array.from({ length: count }, (_, n) => ({ name: `d${length}-${n}.bin`, length, weight: weight / count })),
);

const say = (text: string): void => void process.stderr.write(`faults: ${text}\n`);

function parseOptions(args: readonly string[]): Options {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args: args.filter((one) => one !== '--'),
    options: {
      ...{ seconds: text('15'), readers: text('200'), pause: text('6000'), replicas: text('2'), seed: text('1') },
      ...{ servers: text('willis,nginx,haproxy'), faults: text(faultKinds.map(({ name }) => name).join(',')) },
    },
  });
  const within = (name: 'seconds' | 'readers' | 'pause' | 'replicas' | 'seed', least: number, most: number): number => {
    const number = /^\d+$/.test(values[name]) ? Number(values[name]) : -1;
    if (number >= least && number <= most) return number;
    throw new Error(`--${name} wants a whole number from ${least} to ${most}, not ${values[name]}`);
  };
  const faults = values.faults.split(',').map((name) => {
    const kind = faultKinds.find((one) => one.name === name);
    if (kind === undefined) throw new Error(`no fault is called ${name}`);
    return kind;
  });
  return {
    ...{ seconds: within('seconds', 1, 120), readers: within('readers', 1, 1000), pause: within('pause', 0, 60_000) },
    ...{ replicas: within('replicas', 1, 8), seed: within('seed', 0, 1e9) },
    ...{ servers: values.servers.split(','), faults },
  };
}

/** Readers in a process of their own. */
async function readers(plan: ReadingPlan, signal: AbortSignal): Promise<ReadingReport> {
  const file = fileURLToPath(new URL('read.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import=tsx', file], { stdio: ['pipe', 'pipe', 'inherit'], signal });
  child.stdin.end(JSON.stringify(plan));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the readers ended with ${code ?? 'a signal'}`);
  return JSON.parse(output) as ReadingReport;
}

/** Has each server fail in turn, the primary last, while the others are well. */
async function failInTurn(all: Constellation, liar: LyingParent, kind: FaultKind, seconds: number): Promise<void> {
  const nodes = [...all.replicas, all.primary];
  const share = (seconds * 1000) / nodes.length;
  for (const node of nodes) {
    await delay(share * 0.1);
    await kind.begin(node, liar);
    try {
      await delay(share * 0.7);
    } finally {
      await kind.end(node, liar);
    }
    await delay(share * 0.2);
  }
}

interface Server {
  readonly name: string;
  readonly port: () => number;
  /** Has it forgotten what it found out about its servers. */
  readonly begin: () => Promise<void>;
  /** How a document is asked for. */
  readonly target: (name: string) => string;
  /** Whether what it says of documents is compared as well. */
  readonly isChecked: boolean;
}

async function measure(options: Options, signal: AbortSignal): Promise<string> {
  const files = Object.fromEntries(documents.map(({ name, length }) => [name, contentOf(name, 1, 0, length)]));
  const liar = await LyingParent.open(options.seed);
  const stops: (() => unknown)[] = [() => liar.close()];
  try {
    say('the constellation begins');
    const all = await Constellation.start({
      ...{ files, replicas: options.replicas, isProcess: true },
      client: {
        ...clientSections([]),
        clientSide: { patience: `${patience}ms` },
        log: { level: 'info', access: { format: 'off' } },
      },
    });
    stops.unshift(() => all.close());
    say('it runs');
    const servers = [willis(all), ...(await startBalancers(all, options, stops, signal))];
    const fields = new Map<string, readonly string[]>();
    for (const { name } of documents) fields.set(name, await linesAt(all, name));
    const lines: string[][] = [];
    for (const server of servers.filter(({ name }) => options.servers.includes(name))) {
      lines.push(...(await measureServer(server, { all, liar, options, fields, signal })));
    }
    return table(heads, lines);
  } finally {
    for (const stop of stops) await stop();
  }
}

const heads = [
  'server, fault',
  'requests',
  'MB',
  'failed',
  'forged',
  'forged bytes',
  'p50',
  'p99',
  'p50 +',
  'p99 +',
  'p99 > 100 kB',
];

interface Circumstances {
  readonly all: Constellation;
  readonly liar: LyingParent;
  readonly options: Options;
  readonly fields: ReadonlyMap<string, readonly string[]>;
  readonly signal: AbortSignal;
}

async function measureServer(
  server: Server,
  { all, liar, options, fields, signal }: Circumstances,
): Promise<string[][]> {
  const lines: string[][] = [];
  let [median, tail] = [0, 0];
  for (const kind of options.faults) {
    await server.begin();
    const plan: ReadingPlan = {
      ...{ readers: options.readers, seconds: options.seconds, seed: options.seed, pause: options.pause },
      ...{ patience: 120_000, port: server.port() },
      documents: documents.map(({ name, length, weight }): ReadDocument => {
        const known = server.isChecked ? (fields.get(name) ?? null) : null;
        return { target: server.target(name), host: all.site.host, weight, key: name, length, fields: known };
      }),
    };
    await readers({ ...plan, seconds: warmUp, pause: 200 }, signal);
    const [report] = await Promise.all([readers(plan, signal), failInTurn(all, liar, kind, options.seconds)]);
    const [p50, p99] = [share(report.short, 0.5), share(report.short, 0.99)];
    if (kind.name === 'none') [median, tail] = [p50, p99];
    const failed = Object.values(report.failures).reduce((sum, count) => sum + count, 0);
    const counts = [report.requests, report.bytes / 1e6, failed, report.forged, report.forgedBytes].map(whole);
    const times = [p50, p99, p50 - median, p99 - tail, share(report.long, 0.99)].map(tenths);
    lines.push([`${server.name}, ${kind.name}`, ...counts, ...times]);
    say(`${lines.at(-1)?.join(' | ') ?? ''} ${JSON.stringify(report.failures)}`);
    await all.site.inStep();
  }
  return lines;
}

function share(values: readonly number[], of: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * of))] ?? 0;
}

const willis = (all: Constellation): Server => ({
  ...{ name: 'willis', port: () => all.client.running.port('proxy'), isChecked: true },
  begin: async () => {
    await all.forgetClient();
    await all.learned(documents[0]?.name ?? '');
  },
  target: (name) => all.site.namespace + name,
});

async function startBalancers(
  all: Constellation,
  options: Options,
  stops: (() => unknown)[],
  signal: AbortSignal,
): Promise<Server[]> {
  const servers: Server[] = [];
  for (const balancer of balancers.filter(({ name }) => options.servers.includes(name))) {
    const directory = makeScratch(balancer.name);
    stops.unshift(() => removeScratch(directory));
    const port = await freePort('127.0.0.1');
    const probe = `/${documents[0]?.name ?? ''}`;
    const holders = all.site.nodes.map(({ front }) => front.authority);
    const command = balancer.prepare({ directory, port, servers: holders, host: all.site.host, patience, probe });
    const process = await ServerProcess.start({ ...command, core: 0, directory }, null, signal);
    stops.unshift(() => process.stop());
    // both ask again within a second or two
    const begin = (): Promise<void> => delay(2000, undefined, { signal });
    servers.push({ name: balancer.name, port: () => port, begin, target: (name) => `/${name}`, isChecked: false });
  }
  return servers;
}

async function linesAt(all: Constellation, name: string): Promise<readonly string[]> {
  const { fields } = await all.truth(name);
  return linesOf(fields.flat());
}

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // whoever still waits for what never comes is not waited for
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort(new Error(`interrupted by ${name}`));
  });
}
try {
  if (process.argv.includes('--help')) process.stdout.write(`${usage}\n`);
  else {
    const options = parseOptions(process.argv.slice(2));
    const versions = balancers.map(
      ({ name, version: [program, flag] }) => `${name} ${installedVersion(program, [flag]) ?? 'is missing'}`,
    );
    const found = await measure(options, interruption.signal);
    process.stdout.write(
      `${versions.join(', ')}; ${cpus().length} cores, load ${tenths(loadavg()[0] ?? 0)}; milliseconds, documents of at most 100 kB unless it says otherwise\n\n${found}\n`,
    );
  }
} catch (error) {
  const { message } = interruption.signal.aborted ? (interruption.signal.reason as Error) : (error as Error);
  say(message);
  process.exitCode = interruption.signal.aborted ? 130 : 1;
}
