import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readAhead } from '../../replication/read-ahead.js';

async function* numbers(count: number, failure: Error | null = null, onEnd: () => void = () => undefined) {
  try {
    for (let i = 0; i < count; i++) yield await Promise.resolve(i);
    if (failure !== null) throw failure;
  } finally {
    onEnd();
  }
}

describe('reading ahead', () => {
  it('gives all in their order, however long each takes, and never has more under way than so many', async () => {
    const property = fc.asyncProperty(
      fc.nat(30),
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.nat(3)),
      async (count, atOnce, waits) => {
        let [underWay, most] = [0, 0];
        const work = async (item: number): Promise<number> => {
          most = Math.max(most, ++underWay);
          for (let i = 0; i < (waits[item] ?? 0); i++) await new Promise(setImmediate);
          underWay--;
          return item * 2;
        };
        const given: number[] = [];
        for await (const one of readAhead(numbers(count), atOnce, work)) given.push(one);
        assert.deepEqual(
          given,
          Array.from({ length: count }, (_, i) => i * 2),
        );
        assert.ok(most <= atOnce, `${most} at once`);
      },
    );
    await fc.assert(property, { numRuns: 50 });
  });

  it('gives what was begun before it tells that there is no more', async () => {
    const given: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const one of readAhead(numbers(5, new Error('broken')), 4, (item) => Promise.resolve(item)))
        given.push(one);
    };
    await assert.rejects(reading(), /broken/);
    assert.deepEqual(given, [0, 1, 2, 3, 4]);
  });

  it('ends with the first work that fails, and ends the source', async () => {
    let hasEnded = false;
    const work = (item: number): Promise<number> =>
      item === 2 ? Promise.reject(new Error('two')) : Promise.resolve(item);
    const given: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const one of readAhead(
        numbers(9, null, () => (hasEnded = true)),
        3,
        work,
      ))
        given.push(one);
    };
    await assert.rejects(reading(), /two/);
    assert.deepEqual([given, hasEnded], [[0, 1], true]);
  });

  it('ends the source when nobody reads on', async () => {
    let hasEnded = false;
    for await (const one of readAhead(
      numbers(9, null, () => (hasEnded = true)),
      3,
      (item) => Promise.resolve(item),
    )) {
      if (one === 1) break;
    }
    assert.equal(hasEnded, true);
  });
});
