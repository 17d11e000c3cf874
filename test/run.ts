import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addedUp, batchesOf, countsIn, summary, type Batch, type Counts } from './support/batches.js';

// Runs all tests, in batches that are processes of their own, as many at a time as there are processors. With files or options
// of mocha as arguments, mocha itself runs with these.

const root = fileURLToPath(new URL('../', import.meta.url));
const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
const running = new Set<ChildProcess>();

/** Runs one batch, and says what came of it once it has ended: only failures in full. */
async function run({ name, files }: Batch): Promise<Counts> {
  const child = spawn(process.execPath, [mocha, ...files], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const since = performance.now();
  const ending = await new Promise<string>((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? String(code))),
  );
  running.delete(child);
  const counts = countsIn(output, ending);
  const isWell = counts.failed === 0 && counts.skipped === 0;
  const seconds = Math.round((performance.now() - since) / 1000);
  process.stdout.write(`${isWell ? '' : output}  ${name}: ${summary(counts)}, ${seconds} s\n`);
  return counts;
}

async function runAll(batches: readonly Batch[]): Promise<Counts> {
  const rest = [...batches];
  let total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const oneAfterTheOther = async (): Promise<void> => {
    for (let batch = rest.shift(); batch !== undefined; batch = rest.shift()) {
      // read only then: others have added theirs meanwhile
      const counts = await run(batch);
      total = addedUp(total, counts);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, oneAfterTheOther));
  return total;
}

function endAll(): void {
  for (const child of running) child.kill('SIGTERM');
  process.exitCode = 1;
}

const named = process.argv.slice(2);
if (named.length > 0) {
  const child = spawn(process.execPath, [mocha, ...named], { cwd: root, stdio: 'inherit' });
  child.once('close', (code) => (process.exitCode = code ?? 1));
} else {
  process.once('SIGTERM', endAll).once('SIGINT', endAll);
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  const tests = files.filter((file) => file.endsWith('.test.ts')).map((file) => join('test', file));
  const total = await runAll(batchesOf(tests));
  process.stdout.write(`\n${summary(total)}\n`);
  if (total.failed > 0) process.exitCode = 1;
}
