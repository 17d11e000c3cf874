import assert from 'node:assert/strict';
import fc from 'fast-check';
import { seconds } from '../../config/units.js';
import { Histogram } from '../../proxy/base/histogram.js';
import { Labelled } from '../../proxy/base/labelled.js';
import { metricsText } from '../../proxy/base/metrics-text.js';
import { Counter, Registry, type FamilySnapshot } from '../../proxy/base/metrics.js';
import { parseMetrics } from '../support/metrics-parser.js';

const textOf = (registry: Registry): string => metricsText(registry.snapshot());

describe('a set of things by label values', () => {
  it('gives the same thing for the same values, and another for others', () => {
    const labelled = new Labelled(['a', 'b'], () => new Counter());
    assert.equal(labelled.of('x', 200), labelled.of('x', 200));
    assert.notEqual(labelled.of('x', 200), labelled.of('x', 404));
    assert.notEqual(labelled.of('x', 200), labelled.of('y', 200));
    assert.deepEqual(
      [...labelled.entries()].map(([values]) => values),
      [
        ['x', 200],
        ['x', 404],
        ['y', 200],
      ],
    );
  });

  it('is bounded: what is beyond it shares one thing, and nothing is lost', () => {
    const labelled = new Labelled(['a', 'b'], () => new Counter(), 3);
    for (let i = 0; i < 10; i++) labelled.of('x', i).add();
    for (let i = 0; i < 10; i++) labelled.of('x', i).add();
    const counted = [...labelled.entries()].map(([values, { value }]) => [...values, value]);
    assert.deepEqual(counted, [
      ['x', 0, 2],
      ['x', 1, 2],
      ['x', 2, 2],
      ['other', 'other', 14],
    ]);
  });

  it('tells what it is made for', () => {
    const labelled = new Labelled(['a', 'b'], (...values) => ({ values }));
    assert.deepEqual(labelled.of('x', 1).values, ['x', 1]);
  });
});

describe('a histogram', () => {
  it('counts for each bound what is not beyond it, the bound included', () => {
    const histogram = new Histogram([0.1, 1].map(seconds));
    for (const time of [0, 0.1, 0.2, 1, 1.1, 50]) histogram.observe(seconds(time));
    assert.deepEqual(histogram.cumulative(), [2, 4]);
    assert.equal(histogram.count, 6);
    assert.equal(histogram.sum, 52.4);
  });
});

describe('a registry of metrics', () => {
  it('writes counters, gauges and histograms in the text format 0.0.4', () => {
    const registry = new Registry();
    registry.counter('willis_x_total', 'Xs.').add(3);
    registry.read({ type: 'gauge', name: 'willis_y', help: 'A "y"\\\nof sorts.', value: () => 1.5 });
    const times = new Labelled(['side'], () => new Histogram([0.5, 1].map(seconds)));
    times.of('si"te\n\\').observe(seconds(0.75));
    registry.readEach({ type: 'histogram', name: 'willis_z_seconds', help: 'Z.', of: times, value: (one) => one });
    assert.equal(
      textOf(registry),
      [
        '# HELP willis_x_total Xs.',
        '# TYPE willis_x_total counter',
        'willis_x_total 3',
        '# HELP willis_y A "y"\\\\\\nof sorts.',
        '# TYPE willis_y gauge',
        'willis_y 1.5',
        '# HELP willis_z_seconds Z.',
        '# TYPE willis_z_seconds histogram',
        'willis_z_seconds_bucket{side="si\\"te\\n\\\\",le="0.5"} 0',
        'willis_z_seconds_bucket{side="si\\"te\\n\\\\",le="1"} 1',
        'willis_z_seconds_bucket{side="si\\"te\\n\\\\",le="+Inf"} 1',
        'willis_z_seconds_sum{side="si\\"te\\n\\\\"} 0.75',
        'willis_z_seconds_count{side="si\\"te\\n\\\\"} 1',
        '',
      ].join('\n'),
    );
  });

  it('leaves out what is not known, and never says 0 instead', () => {
    const registry = new Registry();
    registry.read({ type: 'gauge', name: 'willis_unknown', help: 'Unknown.', value: () => null });
    registry.readEach({
      ...{ type: 'counter', name: 'willis_some_total', help: 'Some.' },
      of: new Labelled(['a'], () => new Counter()),
      value: ({ value }) => value,
    });
    assert.equal(textOf(registry), '');
    assert.deepEqual(
      registry.snapshot().map(({ samples }) => samples),
      [[], []],
    );
  });

  it('refuses names that are malformed, taken, or against the conventions of their type', () => {
    const registry = new Registry();
    const gauge = (name: string) => (): void => registry.read({ type: 'gauge', name, help: '', value: () => 1 });
    gauge('willis_a')();
    for (const name of ['willis_a', 'willis-b', '1a', 'a_total', '']) assert.throws(gauge(name));
    assert.throws(() => registry.counter('willis_c', ''));
    assert.throws(() => registry.add({ type: 'gauge', name: 'willis_d', help: '', labels: ['a-b'], read: () => [] }));
  });

  it('tells in JSON what it tells in text, read by a parser that forgives nothing', () => {
    const text = fc.string({ unit: 'grapheme' });
    // minus zero is written as zero
    const number = fc.oneof(fc.double({ noNaN: true }), fc.nat(), fc.maxSafeNat()).map((value) => value + 0);
    const sample = fc.record({ labels: fc.tuple(text, text), value: number });
    const family = fc.record({
      type: fc.constantFrom('counter' as const, 'gauge' as const),
      help: text,
      samples: fc.uniqueArray(sample, { selector: ({ labels }) => JSON.stringify(labels) }),
    });
    const times = fc.array(fc.double({ min: 0, max: 100, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(family, { maxLength: 4 }),
        fc.uniqueArray(fc.tuple(text, times), { selector: ([t]) => t }),
        (families, observed) => {
          const registry = new Registry();
          for (const [i, { type, help, samples }] of families.entries()) {
            const name = `m${i}${type === 'counter' ? '_total' : ''}`;
            registry.add({ type, name, help, labels: ['a', 'b'], read: () => samples });
          }
          const histograms = new Labelled(['c'], () => new Histogram([0.001, 0.5, 10, 50].map(seconds)));
          for (const [label, all] of observed) for (const time of all) histograms.of(label).observe(seconds(time));
          registry.readEach({ type: 'histogram', name: 'h_seconds', help: 'h', of: histograms, value: (one) => one });
          const parsed = parseMetrics(textOf(registry));
          assert.deepEqual(
            parsed,
            registry.snapshot().filter(({ samples }) => samples.length > 0) satisfies FamilySnapshot[],
          );
        },
      ),
    );
  });
});
