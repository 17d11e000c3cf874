import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { asProgram, say } from './as-program.js';
import type { Bench } from './bench.js';
import { circumstances } from './circumstances.js';
import { bindThisProcess } from './cores.js';
import { measureLoadRow } from './load-row.js';
import { measureMemoryRow } from './memory-row.js';
import { parseOptions, usage, type Options } from './options.js';
import { Origin } from './origin.js';
import { withResults } from './page.js';
import { installedVersion } from './peers/installed.js';
import { hasProcessorCounts } from './processor-counts.js';
import { report } from './report.js';
import type { MemoryRowResult, RowResult } from './results.js';
import { makeScratch, removeScratch } from './scratch.js';

const page = fileURLToPath(new URL('../docs/performance.md', import.meta.url));

/** Programs without which nothing can be measured. */
const needed = [
  { program: 'nginx', asked: ['-v'], comesWith: 'Debian package nginx-light' },
  { program: 'wrk', asked: ['-v'], comesWith: 'Debian package wrk' },
  { program: 'luajit', asked: ['-v'], comesWith: 'Debian package luajit' },
];

async function run(options: Options, signal: AbortSignal): Promise<void> {
  bindThisProcess();
  for (const { program, asked, comesWith } of needed) {
    if (installedVersion(program, asked) === null) throw new Error(`${program} is needed: ${comesWith}`);
  }
  const present = options.peers.filter((peer) => peer.version() !== null);
  for (const { name, comesWith } of options.peers.filter((peer) => !present.includes(peer))) {
    say(`${name} is left out, it is not there: ${comesWith}`);
  }
  if (present.length === 0) throw new Error('no peer is left');
  const countsProcessor = hasProcessorCounts();
  const known = circumstances(options, present, countsProcessor);
  for (const sentence of known) say(sentence);

  const directory = makeScratch('origin');
  try {
    const origin = await Origin.start(directory, signal);
    try {
      const results = await measureAll({ options, peers: present, origin, countsProcessor, signal, say });
      const text = report({ ...results, circumstances: known });
      process.stdout.write(`${text}\n`);
      if (options.write) writeFileSync(page, withResults(readFileSync(page, 'utf8'), text));
    } finally {
      await origin.stop();
    }
  } finally {
    removeScratch(directory);
  }
}

async function measureAll(bench: Bench): Promise<{ rows: RowResult[]; memory: MemoryRowResult[] }> {
  const rows: RowResult[] = [];
  const memory: MemoryRowResult[] = [];
  for (const name of bench.options.rows) {
    if (name === 'memory' || name === 'idle') memory.push(await measureMemoryRow(bench, name));
    else rows.push(await measureLoadRow(bench, name));
  }
  return { rows, memory };
}

await asProgram(usage, (args, signal) => run(parseOptions(args), signal));
