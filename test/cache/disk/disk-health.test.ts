import assert from 'node:assert/strict';
import { milliseconds } from '../../../config/units.js';
import { KeyValueError } from '../../../proxy/base/key-value.js';
import { DiskHealth, type UnwellReason } from '../../../proxy/cache/disk/disk-health.js';
import { until } from '../../support/waiting.js';

const damage = new KeyValueError('damaged', 'a table is damaged');
const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
const broken = Object.assign(new Error('input or output'), { code: 'EIO' });

describe('the health of a disk', () => {
  /** What was told, in its order. */
  let told: (readonly [UnwellReason, unknown] | 'well')[];
  /** What each trial comes to. */
  let trials: ('well' | Error)[];
  let health: DiskHealth;

  beforeEach(() => {
    told = [];
    trials = [];
    health = new DiskHealth({
      onUnwell: (error, reason) => told.push([reason, error]),
      onWell: () => told.push('well'),
      retryAfter: milliseconds(1),
      recover: () => {
        const next = trials.shift() ?? 'well';
        return next === 'well' ? Promise.resolve() : Promise.reject(next);
      },
    });
  });
  afterEach(() => health.close());

  const over = (): Promise<void> => until(() => health.isWell);

  it('that fails is said to fail, once, until a trial succeeds', async () => {
    trials = [full, broken];
    health.failed(full);
    health.failed(broken);
    await over();
    assert.deepEqual(told, [['failing', full], 'well']);
  });

  it('of which the index is damaged is said to be repaired, and not to fail', async () => {
    health.failed(damage);
    await over();
    assert.deepEqual(told, [['repairing', damage], 'well']);
  });

  it('is said to fail when the repair does, once', async () => {
    trials = [full, broken];
    health.failed(damage);
    await over();
    assert.deepEqual(told, [['repairing', damage], ['failing', full], 'well']);
  });

  it('on which the index is made anew by order is said neither to fail nor to be repaired', async () => {
    const order = new KeyValueError('damaged', 'by order');
    health.begin(order, Promise.resolve(), 'ordered');
    await over();
    assert.deepEqual(told, [['ordered', order], 'well']);
  });

  it('is said to fail when what was ordered does', async () => {
    trials = [broken];
    health.begin(damage, Promise.reject(full), 'ordered');
    await over();
    assert.deepEqual(told, [['ordered', damage], ['failing', full], 'well']);
  });

  it('is said nothing of once it is closed', async () => {
    health.begin(damage, Promise.reject(new Error('given up')), 'ordered');
    await health.close();
    health.failed(full);
    assert.deepEqual(told, [['ordered', damage]]);
  });
});
