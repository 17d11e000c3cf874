import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, statfsSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { env } from 'node:process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addedUp, batchesOf, countsIn, summary, type Batch, type Counts } from './support/batches.js';

// Runs all tests, in batches that are processes of their own, and beside them what looks at the source: types, lint, format.
// Each of these counts as one test. With files or options of mocha as arguments, mocha itself runs with these, and nothing else.

const root = fileURLToPath(new URL('../', import.meta.url));
const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
/** Scripts of package.json. */
const checks = ['lint', 'typecheck', 'format:check'];
/** One more than there are processors: tests wait for a third of their time. */
const atOnce = availableParallelism() + 1;
const running = new Set<ChildProcess>();

/**
 * Where tests put what they store: in memory if there is room for it, since some make and remove so many files that a
 * file system on a disk takes up to half of their time. What survives there is the same: tests kill processes, not machines.
 */
function roomForFiles(): string {
  if (env['TMPDIR'] !== undefined) return env['TMPDIR'];
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize >= 8 * 1024 ** 3 ? '/dev/shm' : tmpdir();
  } catch {
    return tmpdir();
  }
}

const environment = { ...env, TMPDIR: roomForFiles() };

/** What is run as a process of its own. */
interface Run {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly counted: (output: string, ending: string) => Counts;
}

const testing = ({ name, files }: Batch): Run => ({
  name,
  command: [process.execPath, mocha, ...files],
  counted: countsIn,
});

const checking = (script: string): Run => ({
  name: script,
  command: ['npm', 'run', '--silent', script],
  counted: (_, ending) => ({ passed: ending === '0' ? 1 : 0, failed: ending === '0' ? 0 : 1, skipped: 0 }),
});

/** Runs it, and says what came of it once it has ended: only failures in full. */
async function run({ name, command: [program, ...args], counted }: Run): Promise<Counts> {
  // a group of its own, since npm does not pass on to what it runs that it is to end
  const child = spawn(program, args, {
    ...{ cwd: root, env: environment, detached: true },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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
  const counts = counted(output, ending);
  const isWell = counts.failed === 0 && counts.skipped === 0;
  const seconds = Math.round((performance.now() - since) / 1000);
  process.stdout.write(`${isWell ? '' : output}  ${name}: ${summary(counts)}, ${seconds} s\n`);
  return counts;
}

/** As many at a time as there may be, until nothing is left. */
async function runAll(rest: Run[]): Promise<Counts> {
  let total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const oneAfterTheOther = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      // read only then: others have added theirs meanwhile
      const counts = await run(next);
      total = addedUp(total, counts);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther));
  return total;
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGTERM');
  } catch {
    // it has ended by itself
  }
}

const named = process.argv.slice(2);
if (named.length > 0) {
  const child = spawn(process.execPath, [mocha, ...named], { cwd: root, stdio: 'inherit' });
  child.once('close', (code) => (process.exitCode = code ?? 1));
} else {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  const tests = files.filter((file) => file.endsWith('.test.ts')).map((file) => join('test', file));
  const runs = [...checks.map(checking), ...batchesOf(tests).map(testing)];
  const endAll = (): void => {
    runs.length = 0;
    for (const child of running) endGroup(child);
    process.exitCode = 1;
  };
  // may come twice: to the whole group, and from whoever has started this
  process.on('SIGTERM', endAll).on('SIGINT', endAll);
  const total = await runAll(runs);
  process.stdout.write(`\n${summary(total)}\n`);
  if (total.failed > 0) process.exitCode = 1;
}
