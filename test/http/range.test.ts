import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../config/units.js';
import {
  formatContentRange,
  parseContentRange,
  parseRange,
  resolveRanges,
  type ByteRange,
} from '../../proxy/http/range.js';

const range = (from: number, to: number): ByteRange => ({ from: bytes(from), to: bytes(to) });

/** `[from, to)` pairs, or the kind of any other outcome. */
function ask(value: string, length: number): number[][] | string {
  const specs = parseRange(value);
  if (specs === null) return 'malformed';
  const resolved = resolveRanges(specs, bytes(length));
  return resolved.kind === 'satisfiable' ? resolved.ranges.map(({ from, to }) => [from, to]) : resolved.kind;
}

describe('Range (RFC 9110 §14.2)', () => {
  it('int-ranges and suffix-ranges select bytes (RFC 9110 §14.1.2)', () => {
    assert.deepEqual(ask('bytes=0-499', 10_000), [[0, 500]]);
    assert.deepEqual(ask('bytes=500-999', 10_000), [[500, 1000]]);
    assert.deepEqual(ask('bytes=-500', 10_000), [[9500, 10_000]]);
    assert.deepEqual(ask('bytes=9500-', 10_000), [[9500, 10_000]]);
    assert.deepEqual(ask('bytes=0-0,-1', 10_000), [
      [0, 1],
      [9999, 10_000],
    ]);
    assert.deepEqual(ask('bytes= 0-999 , 4500-5499,, -1000', 10_000), [
      [0, 1000],
      [4500, 5500],
      [9000, 10_000],
    ]);
  });

  it('a last position or suffix beyond the end means the end (RFC 9110 §14.1.2)', () => {
    assert.deepEqual(ask('bytes=5-100', 10), [[5, 10]]);
    assert.deepEqual(ask('bytes=-100', 10), [[0, 10]]);
  });

  it('the unit is not case-sensitive (RFC 9110 §14.1)', () => {
    assert.deepEqual(ask('Bytes=0-4', 10), [[0, 5]]);
  });

  it('other units and what is not the grammar are ignored (RFC 9110 §14.2)', () => {
    for (const value of [
      '',
      'bytes',
      'bytes=',
      'bytes=,',
      'bytes=-',
      'bytes=a-b',
      'bytes=1',
      'bytes=+1-2',
      'bytes=1-2-3',
      'bytes=1 - 2',
      'bytes =1-2',
      'bytes:1-2',
      'bytes=0-1;x',
      'bytes=0x0-0x1',
      'items=0-4',
      'bytes=0-4, x',
      'bytes=--5',
      'bytes=1.5-2',
      'bytes=²-3',
    ]) {
      assert.equal(ask(value, 10), 'malformed', value);
    }
  });

  it('a last position before the first makes the field invalid (RFC 9110 §14.1.1)', () => {
    assert.equal(ask('bytes=5-4', 10), 'malformed');
    assert.equal(ask('bytes=0-1,5-4', 10), 'malformed');
  });

  it('ranges beyond the end and empty suffixes are unsatisfiable (RFC 9110 §14.1.2)', () => {
    assert.equal(ask('bytes=10-', 10), 'unsatisfiable');
    assert.equal(ask('bytes=10-20', 10), 'unsatisfiable');
    assert.equal(ask('bytes=-0', 10), 'unsatisfiable');
    assert.equal(ask('bytes=0-', 0), 'unsatisfiable');
    assert.equal(ask('bytes=-0', 0), 'unsatisfiable');
  });

  it('one satisfiable range is enough, the others are left out (RFC 9110 §15.3.7)', () => {
    assert.deepEqual(ask('bytes=20-30, 0-1, -0', 10), [[0, 2]]);
  });

  it('a suffix of nothing is answered as if there were no Range (RFC 9110 §14.1.2)', () => {
    assert.equal(ask('bytes=-5', 0), 'ignore');
  });

  it('positions of any size neither overflow nor wrap (RFC 9110 §14.1.2, §17.5)', () => {
    const huge = '9'.repeat(400);
    assert.deepEqual(ask(`bytes=0-${huge}`, 10), [[0, 10]]);
    assert.deepEqual(ask(`bytes=-${huge}`, 10), [[0, 10]]);
    assert.equal(ask(`bytes=${huge}-`, 10), 'unsatisfiable');
    assert.equal(ask(`bytes=${huge}-${huge}`, 10), 'unsatisfiable');
    assert.deepEqual(ask('bytes=18446744073709551616-18446744073709551617,0-0', 10), [[0, 1]]);
    assert.deepEqual(ask('bytes=0-9007199254740991', 10), [[0, 10]]);
  });

  it('ranges that overlap or lie closer than the overhead of a part become one (RFC 9110 §15.3.7.2)', () => {
    assert.deepEqual(ask('bytes=0-99,50-149', 10_000), [[0, 150]]);
    assert.deepEqual(ask('bytes=0-99,179-199', 10_000), [[0, 200]]);
    assert.deepEqual(ask('bytes=0-99,180-199', 10_000), [
      [0, 100],
      [180, 200],
    ]);
    assert.deepEqual(ask('bytes=0-,0-,0-,5-7', 10), [[0, 10]]);
  });

  it('parts keep the order in which they were asked for (RFC 9110 §15.3.7.2)', () => {
    assert.deepEqual(ask('bytes=5000-5999,0-9,3000-3009,5500-6500', 10_000), [
      [5000, 6501],
      [0, 10],
      [3000, 3010],
    ]);
  });

  it('a request for very many ranges is answered as if there were no Range (RFC 9110 §14.2, §17.15)', () => {
    const scattered = (n: number) =>
      `bytes=${Array.from({ length: n }, (_, i) => `${i * 1000}-${i * 1000}`).join(',')}`;
    assert.equal((ask(scattered(16), 100_000) as number[][]).length, 16);
    assert.equal(ask(scattered(17), 100_000), 'ignore');
    assert.equal(ask(scattered(1000), 10_000_000), 'malformed');
    assert.equal(ask(`bytes=${'0-,'.repeat(1300)}0-`, 10), 'malformed');
  });

  it('what is sent covers what was asked for, once, within the representation (RFC 9110 §15.3.7)', () => {
    const position = fc.integer({ min: 0, max: 3000 });
    const spec = fc.oneof(
      fc.tuple(position, position).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      position.map((p) => `${p}-`),
      position.map((p) => `-${p}`),
    );
    fc.assert(
      fc.property(
        fc.array(spec, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 2500 }),
        (specs, length) => {
          const outcome = ask(`bytes=${specs.join(',')}`, length);
          const wanted = specs.map((text) => {
            const [first = '', last = ''] = text.split('-');
            if (first === '') return [Math.max(0, length - Number(last)), length];
            return [Number(first), last === '' ? length : Math.min(length, Number(last) + 1)];
          });
          const satisfiable = wanted.filter(([from = 0, to = 0]) => from < to);
          if (typeof outcome === 'string') {
            assert.equal(outcome, 'unsatisfiable');
            assert.deepEqual(satisfiable, []);
            return;
          }
          for (const [from = 0, to = 0] of satisfiable) {
            assert.equal(outcome.filter(([a = 0, b = 0]) => a <= from && to <= b).length, 1);
          }
          const sorted = outcome.toSorted(([a = 0], [b = 0]) => a - b);
          for (const [i, [from = 0, to = 0]] of sorted.entries()) {
            assert.ok(from >= 0 && from < to && to <= length, `${from} to ${to} of ${length}`);
            assert.ok(i === 0 || from - (sorted[i - 1]?.[1] ?? 0) >= 80, JSON.stringify(sorted));
          }
        },
      ),
    );
  });

  it('nothing makes the parser throw (RFC 9110 §14.2)', () => {
    const piece = fc.constantFrom('bytes', '=', '-', ',', '0', '9', ' ', '"', '\\', '*', '/');
    fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => void ask(pieces.join(''), 10)));
    fc.assert(fc.property(fc.string(), (text) => void ask(`bytes=${text}`, 10)));
  });
});

describe('Content-Range (RFC 9110 §14.4)', () => {
  it('gives the range and the complete length (RFC 9110 §14.4)', () => {
    assert.deepEqual(parseContentRange('bytes 42-1233/1234'), { ...range(42, 1234), length: 1234 });
    assert.deepEqual(parseContentRange('bytes 42-1233/*'), { ...range(42, 1234), length: null });
    assert.deepEqual(parseContentRange('Bytes */1234'), { unsatisfied: 1234 });
    assert.deepEqual(parseContentRange('bytes */0'), { unsatisfied: 0 });
  });

  it('an invalid one gives nothing (RFC 9110 §14.4)', () => {
    for (const value of [
      '',
      'bytes',
      'bytes */*',
      'bytes 5-4/10',
      'bytes 0-10/10',
      'bytes 0-9',
      'bytes 0-9/',
      'bytes=0-9/10',
      'bytes  0-9/10',
      'bytes 0 - 9/10',
      'bytes -9/10',
      'bytes 0-/10',
      'items 0-9/10',
      'bytes 0-9/10, bytes 0-9/10',
      'bytes 0-9007199254740991/*',
      `bytes 0-9/${'9'.repeat(30)}`,
      `bytes */${'9'.repeat(30)}`,
    ]) {
      assert.equal(parseContentRange(value), null, value);
    }
  });

  it('any range survives being written and parsed (RFC 9110 §14.4)', () => {
    const position = fc.integer({ min: 0, max: 2 ** 52 });
    fc.assert(
      fc.property(position, fc.integer({ min: 1, max: 2 ** 50 }), fc.boolean(), (from, size, known) => {
        const part = range(from, from + size);
        const length = known ? bytes(from + size) : null;
        assert.deepEqual(parseContentRange(formatContentRange(part, length)), { ...part, length });
      }),
    );
  });
});
