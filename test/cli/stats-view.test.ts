import assert from 'node:assert/strict';
import { epochMs } from '../../config/units.js';
import type { FamilySnapshot } from '../../proxy/base/metrics.js';
import { StatsView, type Stats } from '../../proxy/cli/stats-view.js';

const counter = (name: string, ...samples: readonly [Record<string, string>, number][]): FamilySnapshot => ({
  ...{ name, help: '', type: 'counter' },
  samples: samples.map(([labels, value]) => ({ labels, value })),
});

const histogram = (...counts: readonly [le: number, count: number][]): FamilySnapshot => ({
  ...{ name: 'h', help: '', type: 'histogram' },
  samples: [
    {
      labels: {},
      value: { count: counts.at(-1)?.[1] ?? 0, sum: 0, buckets: counts.map(([le, count]) => ({ le, count })) },
    },
  ],
});

const at = (time: number, ...families: FamilySnapshot[]): Stats => ({
  ...{ node: { name: 'n', phase: 'running' }, time: epochMs(time), hitRatio: { requests: null, bytes: null } },
  families,
});

describe('the numbers of a node', () => {
  const first = at(1000, counter('c', [{ a: 'x', b: '1' }, 3], [{ a: 'y', b: '1' }, 5]));
  const second = at(3000, counter('c', [{ a: 'x', b: '1' }, 7], [{ a: 'y', b: '1' }, 5], [{ a: 'z', b: '2' }, 1]));

  it('are sums over the samples with the labels that are asked for', () => {
    const view = new StatsView(first);
    assert.deepEqual([view.count('c'), view.count('c', { a: 'x' }), view.count('c', { a: 'q' })], [8, 3, null]);
    assert.equal(view.count('other'), null);
    assert.equal(view.gauge('c', { b: '1' }), 8);
  });

  it('are what has been added since an earlier look, over the time between', () => {
    const view = new StatsView(second, first);
    assert.deepEqual([view.count('c'), view.count('c', { a: 'y' }), view.covered], [5, 0, 2]);
    assert.deepEqual(
      [...view.countBy('c', 'a')],
      [
        ['x', 4],
        ['y', 0],
        ['z', 1],
      ],
    );
  });

  it('begin anew with the node', () => {
    assert.equal(new StatsView(first, second).count('c', { a: 'x' }), 3);
  });

  it('cover the life of the process, where that is known', () => {
    assert.equal(new StatsView(at(5000)).covered, null);
    const started = { ...counter('process_start_time_seconds', [{}, 2]), type: 'gauge' as const };
    assert.equal(new StatsView(at(5000, started)).covered, 3);
  });

  it('have quantiles, interpolated within a bucket', () => {
    const view = new StatsView(at(0, histogram([1, 50], [2, 90], [4, 100])));
    assert.deepEqual(
      [0.25, 0.5, 0.7, 0.95].map((share) => view.quantile('h', share)),
      [0.5, 1, 1.5, 3],
    );
    assert.equal(new StatsView(at(0, histogram([1, 0]))).quantile('h', 0.5), null);
    assert.equal(new StatsView(at(0)).quantile('h', 0.5), null);
  });

  it('have quantiles of what has been added', () => {
    const [before, now] = [at(0, histogram([1, 100], [2, 100])), at(1, histogram([1, 100], [2, 110]))];
    assert.equal(new StatsView(now, before).quantile('h', 0.5), 1.5);
  });

  it('have the last bound for what is beyond all bounds', () => {
    const beyond: FamilySnapshot = {
      ...{ name: 'h', help: '', type: 'histogram' },
      samples: [{ labels: {}, value: { count: 10, sum: 0, buckets: [{ le: 1, count: 1 }] } }],
    };
    assert.equal(new StatsView(at(0, beyond)).quantile('h', 0.99), 1);
  });
});
