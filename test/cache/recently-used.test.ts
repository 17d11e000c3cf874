import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../config/units.js';
import { RecentlyUsed } from '../../proxy/cache/recently-used.js';

describe('what was used last', () => {
  it('makes room by dropping what was not used for the longest time', () => {
    const kept = new RecentlyUsed<string, number>(bytes(3));
    for (const [index, key] of ['a', 'b', 'c'].entries()) kept.put(key, index, bytes(1));
    assert.equal(kept.use('a'), 0);
    kept.put('d', 3, bytes(1));
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => kept.use(key)),
      [0, undefined, 2, 3],
    );
    assert.equal(kept.size, 3);
  });

  it('does not make room for what is larger than the limit, which takes the place of nothing but itself', () => {
    const kept = new RecentlyUsed<string, number>(bytes(3));
    kept.put('a', 1, bytes(2));
    kept.put('b', 2, bytes(4));
    assert.deepEqual([kept.use('a'), kept.use('b'), kept.size], [1, undefined, 2]);
    kept.put('a', 3, bytes(4));
    assert.deepEqual([kept.use('a'), kept.size], [undefined, 0]);
  });

  it('any uses: the size is that of what is there, and within the limit', () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), size: fc.nat(12), isPut: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const kept = new RecentlyUsed<string, number>(bytes(20));
        for (const { key, size, isPut } of steps) {
          if (isPut) kept.put(key, size, bytes(size));
          else kept.use(key);
        }
        const there = ['a', 'b', 'c', 'd', 'e'].map((key) => kept.use(key) ?? 0);
        const total = there.reduce((sum, size) => sum + size, 0);
        assert.equal(kept.size, total);
        assert.ok(total <= 20, `${total} of 20`);
      }),
    );
  });
});
