import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Turns } from '../../proxy/access/turns.js';
import { turns as untilQuiet } from '../support/willis.js';

describe('turns', () => {
  it('run so many tasks at once, so many wait in order, and there is no place for more', async () => {
    const turns = new Turns({ atOnce: 2, waiting: 3 });
    const running: number[] = [];
    const ends: (() => void)[] = [];
    const task = (id: number) => (): Promise<number> => {
      running.push(id);
      return new Promise((resolve) => ends.push(() => resolve(id)));
    };
    const results = [1, 2, 3, 4, 5, 6].map((id) => turns.run(task(id)));
    assert.equal(await results[5], null);
    assert.deepEqual(running, [1, 2]);
    assert.equal(turns.isFull, true);
    ends[1]?.();
    assert.equal(await results[1], 2);
    await untilQuiet();
    assert.deepEqual(running, [1, 2, 3]);
    assert.equal(turns.isFull, false);
    ends[0]?.();
    ends[2]?.();
    await untilQuiet();
    assert.deepEqual(running, [1, 2, 3, 4, 5]);
    ends[3]?.();
    ends[4]?.();
    assert.deepEqual(await Promise.all(results.slice(0, 5)), [1, 2, 3, 4, 5]);
  });

  it('keep their number, whether tasks succeed or fail', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 20 }), async (outcomes) => {
        const turns = new Turns({ atOnce: 2, waiting: 20 });
        let running = 0;
        let most = 0;
        const done = outcomes.map((succeeds) =>
          turns
            .run(async () => {
              most = Math.max(most, ++running);
              await Promise.resolve();
              running--;
              if (!succeeds) throw new Error('failed');
            })
            .catch(() => undefined),
        );
        await Promise.all(done);
        assert.ok(most <= 2, String(most));
        assert.equal(running, 0);
        assert.equal(most, Math.min(2, outcomes.length));
      }),
    );
  });
});
