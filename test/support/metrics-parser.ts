import assert from 'node:assert/strict';
import type { FamilySnapshot, HistogramSnapshot, SampleSnapshot } from '../../proxy/base/metrics.js';

interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Reads Prometheus' text format 0.0.4, strictly: HELP and TYPE come first and once, samples stand with their family and
 * once, buckets are cumulative, in order and complete. @throws AssertionError
 */
export function parseMetrics(text: string): FamilySnapshot[] {
  if (text === '') return [];
  assert.ok(text.endsWith('\n'), 'the last line ends in a line feed');
  const families: { name: string; help: string; type: FamilySnapshot['type']; lines: Line[] }[] = [];
  const lines = text.slice(0, -1).split('\n');
  for (let i = 0; i < lines.length; i++) {
    const help = /^# HELP ([a-zA-Z_:][\w:]*) (.*)$/s.exec(lines[i] ?? '');
    if (help === null) {
      const sample = parseSample(lines[i] ?? '');
      const family = families.at(-1);
      assert.ok(family !== undefined, 'a sample belongs to a family');
      family.lines.push(sample);
      continue;
    }
    const [, name = '', escaped = ''] = help;
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(lines[++i] ?? '');
    assert.equal(type?.[1], name, 'TYPE follows HELP');
    assert.ok(!families.some((family) => family.name === name), 'a family comes once');
    families.push({ name, help: unescaped(escaped, false), type: type[2] as FamilySnapshot['type'], lines: [] });
  }
  return families.map(({ lines: own, ...family }) => ({
    ...family,
    samples: family.type === 'histogram' ? histograms(family.name, own) : plain(family.name, own),
  }));
}

function parseSample(line: string): Line {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\[\\"n])*",?)*)\})? (\S+)$/su.exec(line);
  assert.ok(match !== null, `not a sample: ${line}`);
  const [, name = '', pairs = '', value = ''] = match;
  assert.ok(!pairs.endsWith(','), line);
  const labels: Record<string, string> = {};
  for (const [, label = '', text = ''] of pairs.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/gsu)) {
    assert.ok(!(label in labels), `a label comes once: ${line}`);
    labels[label] = unescaped(text, true);
  }
  return { name, labels, value: parseNumber(value) };
}

function parseNumber(text: string): number {
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  assert.match(text, /^-?\d+(\.\d+)?(e[+-]?\d+)?$/);
  return Number(text);
}

function unescaped(text: string, quoted: boolean): string {
  return text.replace(/\\(.?)/gs, (_whole, character: string) => {
    assert.ok(character === '\\' || character === 'n' || (quoted && character === '"'), 'a known escape');
    return character === 'n' ? '\n' : character;
  });
}

function plain(name: string, lines: readonly Line[]): SampleSnapshot[] {
  const seen = new Set<string>();
  return lines.map(({ name: own, labels, value }) => {
    assert.equal(own, name);
    assert.ok(!seen.has(JSON.stringify(labels)), 'a sample comes once');
    seen.add(JSON.stringify(labels));
    return { labels, value };
  });
}

function histograms(name: string, lines: readonly Line[]): SampleSnapshot[] {
  const samples: SampleSnapshot[] = [];
  let buckets: { le: number; count: number }[] = [];
  let sum: number | undefined;
  for (const { name: own, labels, value } of lines) {
    if (own === `${name}_bucket`) buckets.push({ le: parseNumber(labels['le'] ?? ''), count: value });
    else if (own === `${name}_sum`) sum = value;
    else {
      assert.equal(own, `${name}_count`);
      assert.ok(sum !== undefined, 'no sum');
      samples.push({ labels, value: checked(buckets, sum, value) });
      buckets = [];
      sum = undefined;
    }
  }
  assert.deepEqual([buckets, sum], [[], undefined], 'a histogram ends with its count');
  return samples;
}

function checked(buckets: readonly { le: number; count: number }[], sum: number, count: number): HistogramSnapshot {
  assert.deepEqual(buckets.at(-1), { le: Infinity, count }, 'the last bucket has all');
  for (const [i, bucket] of buckets.entries()) {
    const before = buckets[i - 1];
    assert.ok(
      before === undefined || (before.le < bucket.le && before.count <= bucket.count),
      'buckets are cumulative',
    );
  }
  return { count, sum, buckets: buckets.slice(0, -1) };
}
