import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { asProgram, say } from '../as-program.js';
import { bindThisProcess } from '../cores.js';
import { runHere } from '../this-machine.js';
import { withResults, type Marks } from '../page.js';
import { installedVersion } from '../peers/installed.js';
import { measureChanges } from './changes.js';
import { measureHits } from './hits.js';
import type { ReplicationBench, ReplicationOptions } from './replication-bench.js';
import { measureDelta, measureTakeOver } from './take-over.js';

const page = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));

const marks: Marks = {
  begin: '<!-- replication: begin (written by bench/replication/run.ts) -->',
  end: '<!-- replication: end -->',
};

const parts: Readonly<Record<string, (bench: ReplicationBench) => Promise<string>>> = {
  hits: measureHits,
  changes: measureChanges,
  'take-over': measureTakeOver,
  delta: measureDelta,
};

const usage = `npx tsx bench/replication/run.ts -- [options]
  --parts ${Object.keys(parts).join(',')}
  --seconds 2        of one measurement of hits
  --rounds 3         measurements of each server
  --connections 32   kept busy by the load generator
  --edits 100        in each tree
  --replicas 8
  --write            put the results into docs/performance.md`;

const needed = [
  ['nginx', '-v', 'Debian package nginx-light'],
  ['wrk', '-v', 'Debian package wrk'],
  ['rsync', '--version', 'Debian package rsync'],
  ['wget', '--version', 'Debian package wget'],
] as const;

function parseOptions(args: readonly string[]): ReplicationOptions {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args: args.filter((one) => one !== '--'),
    options: {
      ...{ parts: text(Object.keys(parts).join(',')), seconds: text('2'), rounds: text('3'), connections: text('32') },
      ...{ edits: text('100'), replicas: text('8'), write: { type: 'boolean', default: false } },
    },
  });
  const chosen = values.parts.split(',');
  const unknown = chosen.find((one) => !(one in parts));
  if (unknown !== undefined)
    throw new Error(`nothing is called ${unknown}; there are ${Object.keys(parts).join(', ')}`);
  const within = (name: 'seconds' | 'rounds' | 'connections' | 'edits' | 'replicas', most: number): number => {
    const number = /^\d+$/.test(values[name]) ? Number(values[name]) : 0;
    if (number >= 1 && number <= most) return number;
    throw new Error(`--${name} wants a whole number from 1 to ${most}, not ${values[name]}`);
  };
  return {
    ...{ parts: chosen, seconds: within('seconds', 60), rounds: within('rounds', 50), write: values.write },
    ...{ connections: within('connections', 500), edits: within('edits', 400), replicas: within('replicas', 64) },
  };
}

async function run(options: ReplicationOptions, signal: AbortSignal): Promise<void> {
  for (const [program, asked, comesWith] of needed) {
    if (installedVersion(program, [asked]) === null) throw new Error(`${program} is needed: ${comesWith}`);
  }
  bindThisProcess();
  const found = [runHere(needed.map(([program, asked]) => `${program} ${installedVersion(program, [asked]) ?? ''}`))];
  for (const part of options.parts) found.push((await parts[part]?.({ options, signal, say })) ?? '');
  const text = found.join('\n\n');
  process.stdout.write(`${text}\n`);
  if (options.write) writeFileSync(page, withResults(readFileSync(page, 'utf8'), text, marks));
}

await asProgram(usage, (args, signal) => run(parseOptions(args), signal));
