import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../../config/units.js';
import { HoldingsCount } from '../../../replication/replica/holdings-count.js';
import type { Digest } from '../../../wlis/trust/digest.js';
import type { Variant } from '../../../wlis/trust/variant.js';

/** A content of as many bytes as its number says. */
const contentOf = (n: number): Variant => ({ digest: `d${n}` as Digest, length: bytes(n) }) as Variant;

describe('how much a replica holds', () => {
  it('is what a count of everything would find, after each change', () => {
    const documents = fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }).map((all) => [...new Set(all)]);
    const step = fc.oneof(
      fc.record({ do: fc.constant('put' as const), path: fc.nat(4), contents: documents }),
      fc.record({ do: fc.constant('remove' as const), path: fc.nat(4), contents: documents }),
      fc.record({
        do: fc.constantFrom('pulled' as const, 'fetched' as const),
        content: fc.integer({ min: 1, max: 6 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const here = new Set<Digest>();
        const known = new Map<number, number[]>();
        const count = new HoldingsCount(here);
        for (const one of steps) {
          if ('content' in one) {
            const { digest } = contentOf(one.content);
            here.add(digest);
            if (one.do === 'pulled') count.came(digest);
          } else {
            const before = known.get(one.path);
            if (one.do === 'put') count.add(one.contents.map(contentOf));
            if (before !== undefined) count.remove(before.map(contentOf));
            if (one.do === 'put') known.set(one.path, one.contents);
            else known.delete(one.path);
          }
          const all = [...known.values()].flat();
          const sum = (some: readonly number[]): number => some.reduce((a, b) => a + b, 0);
          const expected = [known.size, sum(all.filter((n) => here.has(contentOf(n).digest))), sum(all)];
          const { documents: found, bytes: held, totalBytes } = count.current;
          assert.deepEqual([found, held, totalBytes], expected);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('has less of a content that was lost, until it is there again', () => {
    const here = new Set([contentOf(5).digest]);
    const count = new HoldingsCount(here);
    count.add([contentOf(5), contentOf(3)]);
    assert.deepEqual(count.current, { documents: 1, bytes: 5, totalBytes: 8 });
    here.clear();
    count.lost(contentOf(5));
    assert.equal(count.current.bytes, 0);
    count.came(contentOf(5).digest);
    assert.equal(count.current.bytes, 5);
  });

  it('looks for a bounded number of contents at a time, and finds all of them in the end', () => {
    let looks = 0;
    const has = (): boolean => {
      looks++;
      return isThere;
    };
    let isThere = false;
    const count = new HoldingsCount({ has });
    count.add(Array.from({ length: 10_000 }, (_, n) => contentOf(n + 1)));
    isThere = true;
    looks = 0;
    assert.equal(count.current.totalBytes, 50_005_000);
    assert.ok(looks <= 2048, `${looks} at once`);
    const seen = Array.from({ length: 6 }, () => count.current.bytes);
    assert.equal(seen.at(-1), 50_005_000);
  });
});
