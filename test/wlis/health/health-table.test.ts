import assert from 'node:assert/strict';
import { bytes } from '../../../config/units.js';
import { HealthTable, type HealthTableOptions } from '../../../wlis/health/health-table.js';
import { FakeClock } from '../../support/fake-clock.js';

const url = 'https://m1.example';

describe('the table of health', () => {
  let clock: FakeClock;
  let table: HealthTable;
  const opened = (over: Partial<HealthTableOptions> = {}) => new HealthTable({ clock, chance: () => 0.5, ...over });

  beforeEach(() => {
    clock = new FakeClock();
    table = opened();
  });

  const answers = (of: string, latency = 10): void => {
    const attempt = table.begin(of);
    clock.advance(latency);
    attempt.answered();
    attempt.done();
  };

  it('knows nothing of a node that was never asked, and does not remember that it was asked about', () => {
    assert.equal(table.of(url).latency, null);
    assert.equal(table.of(url).breaker, 'closed');
    assert.equal(table.size, 0);
  });

  it('measures how long an answer takes to begin, and counts what is under way', () => {
    const attempt = table.begin(url);
    assert.equal(table.of(url).underWay, 1);
    clock.advance(25);
    attempt.answered();
    assert.equal(table.of(url).latency?.toFixed(3), '25.000');
    assert.equal(table.of(url).underWay, 1);
    attempt.done();
    assert.equal(table.of(url).underWay, 0);
  });

  it('measures what a long answer brings in a second', () => {
    const attempt = table.begin(url);
    attempt.answered();
    for (let i = 0; i < 10; i++) {
      attempt.waits();
      clock.advance(100);
      attempt.received(bytes(100_000));
    }
    attempt.done();
    assert.equal(table.of(url).bandwidth, 1_000_000);
  });

  it('heeds only the first end of an attempt', () => {
    const attempt = table.begin(url);
    attempt.abandoned();
    attempt.failed('silent');
    attempt.done();
    attempt.abandoned();
    attempt.answered();
    attempt.received(bytes(1_000_000));
    assert.deepEqual(table.of(url).failure, null);
    assert.equal(table.of(url).underWay, 0);
    assert.equal(table.of(url).latency, null);
  });

  it('takes nothing from an attempt that nobody wanted any more', () => {
    const attempt = table.begin(url);
    attempt.abandoned();
    assert.equal(table.of(url).breaker, 'closed');
    assert.equal(table.lastOf(url).well, null);
  });

  it('says what a node failed with until it is well again', () => {
    table.begin(url).failed('unreachable', 'connection refused');
    assert.equal(table.of(url).breaker, 'open');
    const { reason, detail } = table.of(url).failure ?? {};
    assert.deepEqual([reason, detail], ['unreachable', 'connection refused']);
    clock.advance(1000);
    assert.equal(table.of(url).breaker, 'probing');
    answers(url);
    assert.equal(table.of(url).breaker, 'closed');
    assert.equal(table.of(url).failure, null);
  });

  it('says for a day that a node lied, however well it answers since, and counts it for a week', () => {
    table.begin(url).failed('false', 'a 404 without proof');
    clock.advance(650_000);
    answers(url);
    assert.equal(table.of(url).breaker, 'closed');
    assert.equal(table.of(url).failure?.detail, 'a 404 without proof');
    clock.advance(86_400_000);
    answers(url);
    assert.equal(table.of(url).failure, null);
    assert.deepEqual(
      table.blamed().map((one) => [one.url, one.times, one.last.detail]),
      [[url, 1, 'a 404 without proof']],
    );
    clock.advance(7 * 86_400_000);
    assert.deepEqual(table.blamed(), []);
  });

  it('is blamed the more for the next lie', () => {
    table.begin(url).failed('false');
    clock.advance(650_000);
    answers(url);
    table.begin(url).failed('false');
    clock.advance(650_000);
    assert.equal(table.of(url).breaker, 'open');
    assert.equal(table.blamed()[0]?.times, 2);
  });

  it('takes the load that a known node says, and no nonsense', () => {
    table.loaded(url, 0.5);
    assert.equal(table.of(url).load, null);
    answers(url);
    table.loaded(url, 0.5);
    table.loaded(url, NaN);
    table.loaded(url, -1);
    table.loaded(url, Infinity);
    assert.equal(table.of(url).load?.value, 0.5);
    assert.equal(table.of(url).load?.at, clock.monotonic());
  });

  it('tells who failed, and how', () => {
    const told: string[] = [];
    table = opened({ onFailure: (of, reason) => told.push(`${of} ${reason}`) });
    table.begin(url).failed('status');
    table.begin(url).abandoned();
    assert.deepEqual(told, [`${url} status`]);
  });

  it('forgets those that were asked longest ago, but not one that is being asked, and liars last', () => {
    table = opened({ mostNodes: 4 });
    table.begin('https://liar.example').failed('false');
    const underWay = table.begin('https://asked.example');
    answers('https://a.example');
    answers('https://b.example');
    answers('https://a.example');
    answers('https://c.example');
    assert.deepEqual(
      [...table.all()].map(([one]) => one),
      ['https://liar.example', 'https://asked.example', 'https://a.example', 'https://c.example'],
    );
    underWay.done();
  });

  it('has no more nodes than it may, whoever names them', () => {
    table = opened({ mostNodes: 100 });
    for (let i = 0; i < 5000; i++) table.begin(`https://m${i}.example`).failed('false');
    assert.equal(table.size, 100);
  });
});
