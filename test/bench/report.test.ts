import assert from 'node:assert/strict';
import { parseCount } from '../../bench/instructions.js';
import { median } from '../../bench/median.js';
import type { Measurement } from '../../bench/measure.js';
import { parseOptions } from '../../bench/options.js';
import { withResults } from '../../bench/page.js';
import { report } from '../../bench/report.js';
import { rows } from '../../bench/rows.js';

const measured = (perSecond: number, cpuMicroseconds: number): Measurement => ({
  perSecond,
  cpuMicroseconds,
  instructions: null,
  busy: 1,
  p50Microseconds: 500,
  p99Microseconds: 2000,
});

const load = { requests: 100, seconds: 1, bytes: 1e6, failures: 0, p50Microseconds: 1, p99Microseconds: 1 };

describe('the benchmark', () => {
  it('a median is the middle value, or the mean of the two middle ones', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([1, 3, 10, 2]), 2.5);
    assert.throws(() => median([]), /median of nothing/);
  });

  it('each peer is shown by the medians of its rounds and by ratios to squid and nginx', () => {
    const results = [
      { peer: 'willis', rounds: [measured(3000, 10), measured(1000, 30), measured(2000, 20)] },
      { peer: 'squid', rounds: [measured(4000, 10)] },
      { peer: 'nginx', rounds: [measured(8000, 5)] },
    ];
    const text = report({ rows: [{ title: 'Hits', results }], memory: null, circumstances: ['A machine.'] });
    assert.ok(text.startsWith('- A machine.\n\n### Hits\n'));
    assert.ok(
      text.includes('| willis | 2,000 | 100 % | 20.0 | – | 100 % | 0.50 | 2.00 | 0.50 | 0.25 | 2.00 | 4.00 |'),
      text,
    );
  });

  it('ratios to a peer that was not measured are left out', () => {
    const results = [{ peer: 'willis', rounds: [measured(3000, 10)] }];
    const text = report({ rows: [{ title: 'Hits', results }], memory: null, circumstances: [] });
    assert.ok(!text.includes('squid') && !text.includes('NaN'), text);
  });

  it('the page keeps all that stands around the results', () => {
    const page = 'before\n<!-- results: begin (written by npm run bench) -->\nold\n<!-- results: end -->\nafter\n';
    const once = withResults(page, 'new');
    assert.match(once, /^before\n<!-- .*begin.*-->\n\nnew\n\n<!-- .*end -->\nafter\n$/);
    assert.equal(withResults(once, 'new'), once);
    assert.throws(() => withResults('nothing', 'new'), /has no/);
  });

  it('a hit that the origin has seen is none', () => {
    assert.ok(rows['hit-1k'].isWhatItSays(load, {}, 4));
    assert.ok(!rows['hit-1k'].isWhatItSays(load, { 304: 1 }, 4));
  });

  it('a miss is one 200 of the origin, a revalidation one 304, requests under way at the end allowed for', () => {
    assert.ok(rows.miss.isWhatItSays(load, { 200: 104 }, 4));
    assert.ok(!rows.miss.isWhatItSays(load, { 200: 99 }, 4));
    assert.ok(!rows.miss.isWhatItSays(load, { 200: 120 }, 4));
    assert.ok(rows.revalidate.isWhatItSays(load, { 304: 100 }, 4));
    assert.ok(!rows.revalidate.isWhatItSays(load, { 200: 100 }, 4));
  });

  it('instructions are summed over the lines of perf, and unknown when a line has none', () => {
    assert.equal(parseCount('# started\n\n100,,instructions,1,100.00,,\n20,,instructions:u,1,100.00,,\n'), 120);
    assert.equal(parseCount('<not supported>,,instructions,0,100.00,,\n'), null);
    assert.equal(parseCount(''), null);
  });

  it('only a run of all peers and rows writes the page unasked', () => {
    assert.equal(parseOptions([]).write, true);
    assert.equal(parseOptions(['--no-write']).write, false);
    assert.equal(parseOptions(['--rows', 'miss']).write, false);
    assert.equal(parseOptions(['--peers', 'nginx,willis', '--write']).write, true);
    assert.deepEqual(
      parseOptions(['--peers', 'nginx,willis']).peers.map(({ name }) => name),
      ['willis', 'nginx'],
    );
  });

  it('unknown names and impossible numbers are refused', () => {
    assert.throws(() => parseOptions(['--peers', 'apache']), /no peer is called apache/);
    assert.throws(() => parseOptions(['--rows', 'hit']), /no row is called hit/);
    assert.throws(() => parseOptions(['--seconds', '0']), /--seconds/);
    assert.throws(() => parseOptions(['--rounds', 'three']), /--rounds/);
  });
});
