import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TempDir } from './temp-dir.js';

describe('TempDir', () => {
  it('writes files into a directory of its own and leaves nothing behind', async () => {
    const directory = await TempDir.create();
    const path = await directory.write('deep/er/file.txt', 'content');
    assert.equal(path, join(directory.path, 'deep/er/file.txt'));
    assert.equal(readFileSync(path, 'utf8'), 'content');
    await directory.remove();
    await directory.remove();
    assert.equal(existsSync(directory.path), false);
  });
});
