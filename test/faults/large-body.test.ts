import assert from 'node:assert/strict';
import { tryLargeBody } from './large-body.js';

const mebibyte = 1024 * 1024;

describe('a large body', () => {
  it('is stored, and served whole and by ranges, also after a kill, in memory that does not grow with it', async function () {
    this.timeout(60_000);
    const size = 256 * mebibyte;
    const { memoryBefore, memoryAtMost } = await tryLargeBody(size);
    const most = memoryBefore + size / mebibyte / 2;
    assert.ok(memoryAtMost > 0 && memoryAtMost < most, `${memoryAtMost} MiB, ${memoryBefore} MiB before`);
  });
});
