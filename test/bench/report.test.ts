import assert from 'node:assert/strict';
import { median } from '../../bench/median.js';
import type { Latency, Measurement } from '../../bench/measure.js';
import { parseOptions } from '../../bench/options.js';
import { withResults } from '../../bench/page.js';
import { parseCounts } from '../../bench/processor-counts.js';
import { report } from '../../bench/report.js';
import type { RowResult } from '../../bench/results.js';
import { rows } from '../../bench/rows.js';

const measured = (perSecond: number, cpuMicroseconds: number): Measurement => ({
  perSecond,
  cpuMicroseconds,
  instructions: null,
  cycles: null,
  writtenPerByte: null,
  busy: 1,
});
const took = (p50Microseconds: number, p99Microseconds: number): Latency => ({ p50Microseconds, p99Microseconds });

const row = (results: RowResult['results']): RowResult => ({
  title: 'Hits',
  storage: 'memory',
  unit: 'request',
  results,
});

const unused = { read: 0, written: 0, loses: 0 };
const load = { requests: 100, seconds: 1, bytes: 1e6, failures: 0, p50Microseconds: 1, p99Microseconds: 1 };

describe('the benchmark', () => {
  it('a median is the middle value, or the mean of the two middle ones', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([1, 3, 10, 2]), 2.5);
    assert.throws(() => median([]), /median of nothing/);
  });

  it('each peer is shown by the medians of its rounds and by ratios to squid and nginx', () => {
    const results = [
      {
        peer: 'willis',
        rounds: [measured(3000, 10), measured(1000, 30), measured(2000, 20)],
        latencies: [took(100, 900), took(500, 2000), took(600, 3000)],
      },
      { peer: 'squid', rounds: [measured(4000, 10)], latencies: [took(500, 1000)] },
      { peer: 'nginx', rounds: [measured(8000, 5)], latencies: [took(500, 4000)] },
    ];
    const text = report({ rows: [row(results)], memory: [], circumstances: ['A machine.'] });
    assert.ok(text.startsWith('- A machine.\n\n### Willis divided by squid and by nginx\n'), text);
    assert.ok(text.includes('\n| Hits | 0.50 | 2.00 | 2.00 | 0.25 | 4.00 | 0.50 |\n'), text);
    assert.ok(
      text.includes(
        '| willis | 2,000 | 100 % | 20.0 | 100 % | 0.50 | 2.00 | 0.50 | 0.25 | 2.00 | 4.00 | 2.00 | 0.50 |',
      ),
      text,
    );
  });

  it('ratios to a peer that was not measured are left out', () => {
    const results = [{ peer: 'willis', rounds: [measured(3000, 10)], latencies: [took(1, 2)] }];
    const text = report({ rows: [row(results)], memory: [], circumstances: [] });
    assert.ok(!text.includes('squid') && !text.includes('NaN') && !text.includes('divided'), text);
  });

  it('a peer that cannot do what a row is about has dashes, and a note says so', () => {
    const results = [
      { peer: 'willis', rounds: [measured(3000, 10)], latencies: [took(1, 2)] },
      { peer: 'nginx', rounds: [], latencies: [] },
    ];
    const text = report({
      rows: [{ title: 'Tunnels', storage: 'memory', unit: 'MB', results }],
      memory: [],
      circumstances: [],
    });
    assert.ok(text.includes('| nginx | – | – | – | – | – | – |'), text);
    assert.ok(text.includes('\n\n–: nginx cannot do that.'), text);
    assert.ok(text.includes('| MB/s |'), text);
  });

  it('instructions and cycles have columns where they are counted', () => {
    const counted = { ...measured(3000, 10), instructions: 45_000, cycles: 30_000.4 };
    const results = [{ peer: 'willis', rounds: [counted], latencies: [took(1000, 2000)] }];
    const text = report({ rows: [row(results)], memory: [], circumstances: [] });
    assert.ok(text.includes('| CPU µs | instructions | cycles | core busy |'), text);
    assert.ok(text.includes('| willis | 3,000 | 0 % | 10.0 | 45,000 | 30,000 | 100 % | 1.00 | 2.00 |'), text);
  });

  it('memory is shown for each thing, and divided by what the others need', () => {
    const of = (peer: string, bytesEach: number) => ({ peer, beforeBytes: 1e6, afterBytes: 2.5e6, bytesEach });
    const memory = [{ title: 'Idle', unit: 'connection', results: [of('willis', 3000), of('squid', 4000)] }];
    const text = report({ rows: [], memory, circumstances: [] });
    assert.ok(text.includes('| bytes a connection | : squid |'), text);
    assert.ok(text.includes('| willis | 1.0 | 2.5 | 3,000 | 0.75 |'), text);
    assert.ok(text.includes('| Idle | – | 0.75 | – |'), text);
  });

  it('the page keeps all that stands around the results', () => {
    const page = 'before\n<!-- results: begin (written by npm run bench) -->\nold\n<!-- results: end -->\nafter\n';
    const once = withResults(page, 'new');
    assert.match(once, /^before\n<!-- .*begin.*-->\n\nnew\n\n<!-- .*end -->\nafter\n$/);
    assert.equal(withResults(once, 'new'), once);
    assert.throws(() => withResults('nothing', 'new'), /has no/);
  });

  it('a hit that the origin has seen is none', () => {
    assert.equal(rows['hit-1k'].isWhatItSays(load, {}, 4, unused), true);
    assert.equal(rows['hit-1k'].isWhatItSays(load, { 304: 1 }, 4, unused), false);
  });

  it('a miss is one 200 of the origin, a revalidation one 304, requests under way at the end allowed for', () => {
    assert.equal(rows.miss.isWhatItSays(load, { 200: 104 }, 4, unused), true);
    assert.equal(rows.miss.isWhatItSays(load, { 200: 99 }, 4, unused), false);
    assert.equal(rows.miss.isWhatItSays(load, { 200: 120 }, 4, unused), false);
    assert.equal(rows.revalidate.isWhatItSays(load, { 304: 100 }, 4, unused), true);
    assert.equal(rows.revalidate.isWhatItSays(load, { 200: 100 }, 4, unused), false);
  });

  it('instructions and cycles are summed over the lines of perf, and unknown when a line has none', () => {
    const cycles = '7,,cycles,1,100.00,,\n';
    const instructions = '100,,instructions,1,100.00,,\n20,,instructions:u,1,100.00,,\n';
    assert.deepEqual(parseCounts(`# started\n\n${instructions}${cycles}`), { instructions: 120, cycles: 7 });
    assert.equal(parseCounts(`<not supported>,,instructions,0,100.00,,\n${cycles}`), null);
    assert.equal(parseCounts(instructions), null);
    assert.equal(parseCounts(''), null);
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
