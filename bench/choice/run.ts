import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { asProgram, say } from '../as-program.js';
import { withResults, type Marks } from '../page.js';
import { table } from '../table.js';
import { allChoosers, type Chooser } from './choosers.js';
import { FarRelay, type Way } from './far-relay.js';
import { read, SizedOrigin, type ReadingResult } from './readers.js';

const page = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));

const marks: Marks = {
  begin: '<!-- choice: begin (written by bench/choice/run.ts) -->',
  end: '<!-- choice: end -->',
};

const usage = `npx tsx bench/choice/run.ts -- [options]
  --small 150     requests for 500 B, with each way to choose
  --large 12      requests for 250 kB
  --seconds 12    of shifting load
  --write         put the results into docs/performance.md`;

/** The nearer, the thinner. */
const opposite: readonly (Way & { readonly name: string })[] = [
  { name: 'near', latency: 5, bitsPerSecond: 1e6 },
  { name: 'middle', latency: 20, bitsPerSecond: 1e7 },
  { name: 'far', latency: 80, bitsPerSecond: 1e8 },
];

const alike: readonly (Way & { readonly name: string })[] = ['first', 'second', 'third'].map((name) => ({
  ...{ name, latency: 20, bitsPerSecond: 1e8 },
}));

/** Milliseconds that a loaded node takes longer, and for how long one is. */
const [load, phase] = [150, 1500];

interface Options {
  readonly small: number;
  readonly large: number;
  readonly seconds: number;
  readonly write: boolean;
}

function parseOptions(args: readonly string[]): Options {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args: args.filter((one) => one !== '--'),
    options: {
      ...{ small: text('150'), large: text('12'), seconds: text('12') },
      write: { type: 'boolean', default: false },
    },
  });
  const within = (name: 'small' | 'large' | 'seconds', most: number): number => {
    const number = /^\d+$/.test(values[name]) ? Number(values[name]) : 0;
    if (number >= 1 && number <= most) return number;
    throw new Error(`--${name} wants a whole number from 1 to ${most}, not ${values[name]}`);
  };
  return {
    small: within('small', 10_000),
    large: within('large', 500),
    seconds: within('seconds', 300),
    write: values.write,
  };
}

/** Does something with relays of these kinds, which end after it. */
async function withRelays<T>(ways: readonly Way[], use: (relays: readonly FarRelay[]) => Promise<T>): Promise<T> {
  const origin = await SizedOrigin.start();
  const relays = await Promise.all(
    ways.map(({ latency, bitsPerSecond }) => FarRelay.to(origin.port, { latency, bitsPerSecond })),
  );
  try {
    return await use(relays);
  } finally {
    await Promise.all(relays.map((relay) => relay.close()));
    await origin.close();
  }
}

interface Sized {
  readonly count: number;
  readonly size: number;
  readonly readers: number;
  readonly title: string;
}

async function sized({ count, size, readers, title }: Sized, signal: AbortSignal): Promise<string> {
  const lines: string[][] = [];
  for (const chooser of allChoosers(opposite.map(({ name }) => name))) {
    say(`${title}: ${chooser.name}`);
    lines.push(
      await withRelays(opposite, async (relays) => {
        const urls = relays.map(({ url }) => url);
        const goesOn = (begun: number): boolean => begun < count;
        return lineOf(chooser, await read({ chooser, urls, size, readers, goesOn, pause: 0, signal }));
      }),
    );
  }
  return `${title}:\n\n${table(heads(opposite), lines)}`;
}

/** One node after the other is loaded for a while. */
async function shifting(seconds: number, signal: AbortSignal): Promise<string> {
  const lines: string[][] = [];
  for (const chooser of allChoosers(alike.map(({ name }) => name))) {
    say(`shifting load: ${chooser.name}`);
    lines.push(
      await withRelays(alike, async (relays) => {
        let turn = 0;
        const shift = (): void => {
          relays.forEach(({ way }, i) => (way.latency = i === turn % relays.length ? 20 + load : 20));
          turn++;
        };
        shift();
        const timer = setInterval(shift, phase);
        const end = performance.now() + seconds * 1000;
        try {
          const urls = relays.map(({ url }) => url);
          const goesOn = (): boolean => performance.now() < end;
          return lineOf(chooser, await read({ chooser, urls, size: 1000, readers: 8, goesOn, pause: 20, signal }));
        } finally {
          clearInterval(timer);
        }
      }),
    );
  }
  const title = `1 kB, three nodes at 20 ms, of which one after the other takes ${load} ms longer for ${phase / 1000} s`;
  return `${title}:\n\n${table(heads(alike), lines)}`;
}

const heads = (ways: readonly { readonly name: string }[]): string[] => [
  ...['chosen', 'requests', 'mean ms', 'median ms', 'p95 ms'],
  ...ways.map(({ name }) => `${name} %`),
];

function lineOf({ name }: Chooser, { times, shares }: ReadingResult): string[] {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  const mean = sorted.reduce((sum, time) => sum + time, 0) / Math.max(1, sorted.length);
  const percentages = shares.map((count) => String(Math.round((count / Math.max(1, sorted.length)) * 100)));
  return [name, String(sorted.length), mean.toFixed(1), at(0.5), at(0.95), ...percentages];
}

async function run({ small, large, seconds, write }: Options, signal: AbortSignal): Promise<void> {
  const [busy = 0] = loadavg();
  const found = [
    `- Run of ${new Date().toISOString().slice(0, 10)} on Node.js ${process.versions.node}; ${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores, Linux ${release()}.`,
    ...(busy > 0.5
      ? [`- **The machine was not quiet** (load ${busy.toFixed(1)} at the beginning): the figures are rough.`]
      : []),
    '- Relays on this machine: near 5 ms and 1 Mbit/s, middle 20 ms and 10 Mbit/s, far 80 ms and 100 Mbit/s. Each way to choose begins knowing nothing.',
  ].join('\n');
  const parts = [
    found,
    await sized({ count: small, size: 500, readers: 1, title: '500 B, one reader' }, signal),
    await sized({ count: large, size: 250_000, readers: 2, title: '250 kB, two readers' }, signal),
    await shifting(seconds, signal),
  ];
  const text = parts.join('\n\n');
  process.stdout.write(`${text}\n`);
  if (write) writeFileSync(page, withResults(readFileSync(page, 'utf8'), text, marks));
}

await asProgram(usage, (args, signal) => run(parseOptions(args), signal));
