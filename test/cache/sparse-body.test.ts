import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../config/units.js';
import { SparseBody } from '../../proxy/cache/sparse-body.js';

describe('SparseBody', () => {
  const size = 60;
  const whole = Buffer.from(Array.from({ length: size }, (_, i) => i));
  const piece = fc
    .record({ from: fc.nat({ max: size - 1 }), length: fc.nat({ max: 20 }), cut: fc.integer({ min: 1, max: 20 }) })
    .map(({ from, length, cut }) => ({ from, to: Math.min(size, from + length), cut }));

  const chunksOf = (from: number, to: number, cut: number): Buffer[] => {
    const chunks: Buffer[] = [];
    for (let at = from; at < to; at += cut) chunks.push(whole.subarray(at, Math.min(to, at + cut)));
    return chunks;
  };

  it('holds what was added, as a list of positions would', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        let body = SparseBody.empty;
        const held = new Set<number>();
        for (const { from, to, cut } of pieces) {
          body = body.extendedBy(bytes(from), chunksOf(from, to, cut));
          for (let i = from; i < to; i++) held.add(i);
          assert.equal(body.size, held.size);
          assert.equal(body.isWhole(bytes(size)), held.size === size);
          for (const interval of body.held) {
            const data = Buffer.concat([...body.slice(interval.from, interval.to)]);
            assert.deepEqual(data, whole.subarray(interval.from, interval.to));
          }
        }
      }),
    );
  });

  it('gives slices of what it holds and refuses others', () => {
    const body = SparseBody.of(bytes(4), chunksOf(4, 10, 3)).extendedBy(bytes(20), chunksOf(20, 30, 4));
    const slice = (from: number, to: number): Buffer => Buffer.concat([...body.slice(bytes(from), bytes(to))]);
    assert.deepEqual(slice(5, 9), whole.subarray(5, 9));
    assert.deepEqual(slice(20, 30), whole.subarray(20, 30));
    assert.deepEqual(slice(7, 7), Buffer.alloc(0));
    for (const [from, to] of [
      [3, 5],
      [8, 11],
      [8, 22],
      [29, 31],
    ] as const)
      assert.throws(() => slice(from, to), RangeError);
  });

  it('is not changed by being extended', () => {
    const body = SparseBody.of(bytes(0), chunksOf(0, 10, 10));
    body.extendedBy(bytes(10), chunksOf(10, 20, 10));
    assert.deepEqual(body.held, [{ from: 0, to: 10 }]);
  });
});
