import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('./measured-index.ts', import.meta.url));

describe('what an index of pages says that it takes', () => {
  for (const pages of [200, 1200]) {
    it(`is about what it takes in memory, with ${pages} pages`, async () => {
      const args = ['--expose-gc', '--import=tsx', program, String(pages)];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      const { taken, said, documents } = JSON.parse(stdout) as Record<'taken' | 'said' | 'documents', number>;
      assert.equal(documents, pages);
      assert.ok(said > 0.6 * taken && said < 1.7 * taken, `it says ${said}, and takes ${taken}`);
    }).timeout(60_000);
  }
});
