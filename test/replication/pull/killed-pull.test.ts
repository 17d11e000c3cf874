import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TempDir } from '../../support/temp-dir.js';
import { BLOCK } from './fake-holder.js';

describe('a pull whose process is killed', () => {
  let temporary: TempDir;

  beforeEach(async () => void (temporary = await TempDir.create()));
  afterEach(() => temporary.remove());

  const length = 80 * BLOCK + 1;

  /** @param until how many bytes may come before the process is killed */
  async function run(until: number): Promise<{ received: number; last: string }> {
    const program = join(import.meta.dirname, 'pulling-process.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', program, join(temporary.path, 'blobs'), String(length)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    let [received, last] = [0, ''];
    for await (const line of createInterface({ input: child.stdout })) {
      last = line;
      if (line.startsWith('+')) received += Number(line);
      if (received >= until) child.kill('SIGKILL');
    }
    await exited;
    return { received, last };
  }

  it('pulls at most one block twice for each kill, and ends with the content', async () => {
    const runs = [await run(10 * BLOCK), await run(33 * BLOCK + 20_000), await run(Infinity)];
    assert.equal(runs.at(-1)?.last, 'whole');
    const received = runs.reduce((sum, one) => sum + one.received, 0);
    assert.ok(received <= length + 2 * BLOCK, `${received} bytes for ${length}`);
    assert.ok((runs.at(-1)?.received ?? 0) < length - 30 * BLOCK, 'nothing was gone on with');
  });
}).timeout(60_000);
