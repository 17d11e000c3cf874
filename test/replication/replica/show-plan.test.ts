import assert from 'node:assert/strict';
import { epochMs } from '../../../config/units.js';
import { ShowPlan } from '../../../replication/replica/show-plan.js';

describe('which changes wait for which contents', () => {
  it('shows at once a set of more changes than a call can have arguments', async () => {
    const count = 200_000;
    const at = epochMs(0);
    const changes = Array.from({ length: count }, (_, n) => {
      return { seq: n + 1, path: `${n}`, at, document: null, together: count };
    });
    const holdings = { has: () => true, isPulled: () => true, older: () => null };
    const plan = await ShowPlan.make(changes, holdings, () => Promise.resolve());
    assert.deepEqual([plan.ready.length, plan.left, plan.wanted.length], [count, 0, 0]);
  });
});
