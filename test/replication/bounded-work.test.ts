import assert from 'node:assert/strict';
import { forEachOf } from '../../replication/bounded-work.js';

async function* counting(upTo: number, given: number[]): AsyncGenerator<number> {
  for (let i = 0; i < upTo; i++) {
    await Promise.resolve();
    given.push(i);
    yield i;
  }
}

describe('bounded work', () => {
  it('is done for each, and for no more at once than are allowed', async () => {
    for (const items of [Array.from({ length: 50 }, (_, i) => i), counting(50, [])]) {
      const done: number[] = [];
      let [now, most] = [0, 0];
      await forEachOf(items, 7, async (item) => {
        most = Math.max(most, ++now);
        await new Promise(setImmediate);
        now--;
        done.push(item);
      });
      assert.deepEqual([done.sort((a, b) => a - b), most], [Array.from({ length: 50 }, (_, i) => i), 7]);
    }
  });

  it('rejects with the first failure when all that was begun is over, and begins nothing after it', async () => {
    const given: number[] = [];
    let under = 0;
    const work = async (item: number): Promise<void> => {
      under++;
      await new Promise(setImmediate);
      under--;
      if (item === 5) throw new Error('five');
    };
    await assert.rejects(forEachOf(counting(1000, given), 3, work), /five/);
    assert.equal(under, 0);
    assert.ok(given.length < 20, String(given.length));
  });
});
