import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { asProgram, say } from '../as-program.js';
import { bindThisProcess } from '../cores.js';
import { runHere } from '../this-machine.js';
import { withResults, type Marks } from '../page.js';
import { installedVersion } from '../peers/installed.js';
import type { FailoverBench, FailoverOptions } from './failover-bench.js';
import { measureForwarding } from './forwarding.js';
import { measureHits } from './hits.js';
import { measureVerifying } from './verifying.js';

const page = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));

const marks: Marks = {
  begin: '<!-- failover: begin (written by bench/failover/run.ts) -->',
  end: '<!-- failover: end -->',
};

const parts: Readonly<Record<string, (bench: FailoverBench) => Promise<string>>> = {
  forwarding: measureForwarding,
  verifying: measureVerifying,
  hits: measureHits,
};

const usage = `npx tsx bench/failover/run.ts -- [options]
  --parts ${Object.keys(parts).join(',')}
  --seconds 2        of one measurement
  --rounds 3         measurements of each proxy
  --connections 32   kept busy by the load generator
  --write            put the results into docs/performance.md`;

function parseOptions(args: readonly string[]): FailoverOptions {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args: args.filter((one) => one !== '--'),
    options: {
      ...{ parts: text(Object.keys(parts).join(',')), seconds: text('2'), rounds: text('3'), connections: text('32') },
      write: { type: 'boolean', default: false },
    },
  });
  const chosen = values.parts.split(',');
  const unknown = chosen.find((one) => !(one in parts));
  if (unknown !== undefined)
    throw new Error(`nothing is called ${unknown}; there are ${Object.keys(parts).join(', ')}`);
  const within = (name: 'seconds' | 'rounds' | 'connections', most: number): number => {
    const number = /^\d+$/.test(values[name]) ? Number(values[name]) : 0;
    if (number >= 1 && number <= most) return number;
    throw new Error(`--${name} wants a whole number from 1 to ${most}, not ${values[name]}`);
  };
  return {
    ...{ parts: chosen, seconds: within('seconds', 60), rounds: within('rounds', 50), write: values.write },
    connections: within('connections', 500),
  };
}

async function run(options: FailoverOptions, signal: AbortSignal): Promise<void> {
  if (installedVersion('wrk', ['-v']) === null) throw new Error('wrk is needed: Debian package wrk');
  bindThisProcess();
  const found = [runHere([`wrk ${installedVersion('wrk', ['-v']) ?? ''}`])];
  for (const part of options.parts) found.push((await parts[part]?.({ options, signal, say })) ?? '');
  const text = found.join('\n\n');
  process.stdout.write(`${text}\n`);
  if (options.write) writeFileSync(page, withResults(readFileSync(page, 'utf8'), text, marks));
}

await asProgram(usage, (args, signal) => run(parseOptions(args), signal));
