import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../config/units.js';
import { addInterval, canCombine, completionRequest, covers, missingWithin } from '../../proxy/cache/partial.js';
import type { Interval } from '../../proxy/cache/stored-response.js';
import { Fields } from '../../proxy/http/fields.js';
import { part, stored } from './stored-example.js';

const size = 40;
const interval = (from: number, to: number): Interval => ({ from: bytes(from), to: bytes(to) });
const anyInterval = fc.tuple(fc.nat(size), fc.nat(size)).map(([a, b]) => interval(Math.min(a, b), Math.max(a, b)));
const someIntervals = fc.array(anyInterval, { maxLength: 10 });

const holdAll = (added: readonly Interval[]): Interval[] => added.reduce<Interval[]>(addInterval, []);

/** The model: a set of positions. */
const positions = (intervals: readonly Interval[]): Set<number> =>
  new Set(intervals.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i)));

function assertNormal(held: readonly Interval[]): void {
  for (const [i, one] of held.entries()) {
    assert.ok(one.from < one.to, 'empty');
    const next = held[i + 1];
    if (next !== undefined) assert.ok(one.to < next.from, 'unsorted, overlapping or adjacent');
  }
}

describe('partial', () => {
  describe('intervals', () => {
    it('adding holds what was held and what is added, in normal form', () => {
      fc.assert(
        fc.property(someIntervals, anyInterval, (before, added) => {
          const held = holdAll(before);
          const after = addInterval(held, added);
          assertNormal(after);
          assert.deepEqual(positions(after), positions([...before, added]));
        }),
      );
    });

    it('the order of adding does not matter', () => {
      fc.assert(fc.property(someIntervals, (added) => assert.deepEqual(holdAll(added), holdAll([...added].reverse()))));
    });

    it('covers tells whether every position is held', () => {
      fc.assert(
        fc.property(someIntervals, anyInterval, (added, wanted) => {
          const held = holdAll(added);
          const model = positions(held);
          assert.equal(
            covers(held, wanted),
            [...positions([wanted])].every((one) => model.has(one)),
          );
        }),
      );
    });

    it('missing are the positions within that are not held, in normal form', () => {
      fc.assert(
        fc.property(someIntervals, anyInterval, (added, wanted) => {
          const held = holdAll(added);
          const missing = missingWithin(held, wanted);
          assertNormal(missing);
          const model = positions(held);
          assert.deepEqual(
            [...positions(missing)],
            [...positions([wanted])].filter((one) => !model.has(one)),
          );
        }),
      );
    });

    it('adding what is missing covers what is wanted', () => {
      fc.assert(
        fc.property(someIntervals, anyInterval, (added, wanted) => {
          const held = holdAll(added);
          assert.equal(covers(missingWithin(held, wanted).reduce(addInterval, held), wanted), true);
        }),
      );
    });
  });

  describe('combining (RFC 9111 §3.4, RFC 9110 §15.3.7.3)', () => {
    const lines = { ETag: '"a"', 'Content-Range': 'bytes 5-9/10' };
    const mine = part([[0, 5]], { fields: { ETag: '"a"' } });
    const combines = (fields: Record<string, string | string[]>, onto = mine, status = 206): boolean =>
      canCombine(onto, { status, fields: Fields.of(fields) });

    it('parts with the same strong entity-tag are combined', () => assert.equal(combines(lines), true));

    it('parts with the same strong Last-Modified and no entity-tag are combined', () => {
      const dated = { 'Last-Modified': 'Sat, 21 Nov 2026 01:00:00 GMT', Date: 'Sat, 21 Nov 2026 03:00:00 GMT' };
      const onto = part([[0, 5]], { fields: dated });
      assert.equal(combines({ ...dated, 'Content-Range': 'bytes 5-9/10' }, onto), true);
      assert.equal(combines({ ...dated, Date: dated['Last-Modified'], 'Content-Range': 'bytes 5-9/10' }, onto), false);
    });

    it('parts with different, weak or no validators are not', () => {
      assert.equal(combines({ ...lines, ETag: '"b"' }), false);
      assert.equal(combines({ ...lines, ETag: 'W/"a"' }), false);
      assert.equal(combines({ 'Content-Range': 'bytes 5-9/10' }), false);
      assert.equal(combines({ ...lines, ETag: 'W/"a"' }, part([[0, 5]], { fields: { ETag: 'W/"a"' } })), false);
      assert.equal(combines({ 'Content-Range': 'bytes 5-9/10' }, part([[0, 5]])), false);
    });

    it('a part without a valid Content-Range is not', () => {
      for (const range of ['', 'bytes 5-9', 'bytes 9-5/10', 'bytes 5-10/10', 'bytes */10', 'items 5-9/10']) {
        assert.equal(combines({ ...lines, 'Content-Range': range }), false, range);
      }
      assert.equal(combines({ ETag: '"a"' }), false);
      assert.equal(combines({ ...lines, 'Content-Range': ['bytes 5-9/10', 'bytes 5-8/10'] }), false);
    });

    it('several parts in one response are not', () => {
      assert.equal(combines({ ...lines, 'Content-Type': 'Multipart/ByteRanges; boundary=x' }), false);
    });

    it('parts of different complete lengths are not', () => {
      assert.equal(combines({ ...lines, 'Content-Range': 'bytes 5-9/11' }), false);
      assert.equal(combines({ ...lines, 'Content-Range': 'bytes 5-9/*' }), true);
      assert.equal(combines({ ...lines, 'Content-Range': 'bytes 5-10/*' }), false);
    });

    it('a length first learned from the new part has room for what is held', () => {
      const unknown = part([[0, 8]], { fields: { ETag: '"a"' }, length: null });
      assert.equal(combines({ ...lines, 'Content-Range': 'bytes 5-9/10' }, unknown), true);
      assert.equal(combines({ ...lines, 'Content-Range': 'bytes 5-6/7' }, unknown), false);
    });

    it('only a 206 is combined: a 200 replaces (RFC 9110 §15.3.7.3)', () => {
      assert.equal(combines(lines, mine, 200), false);
      assert.equal(combines(lines, part([[0, 5]], { fields: { ETag: '"a"' }, status: 404 })), false);
    });
  });

  describe('completing', () => {
    const fields = { ETag: '"a"' };

    it('asks for the rest of the representation, on condition that it is the same (RFC 9110 §13.1.5)', () => {
      assert.deepEqual(completionRequest(part([[0, 5]], { fields }), null), { range: 'bytes=5-', ifRange: '"a"' });
    });

    it('asks for what is missing at the front or in the middle', () => {
      assert.equal(completionRequest(part([[5, 10]], { fields }), null)?.range, 'bytes=0-4');
      const ends = [
        [0, 2],
        [8, 10],
      ] as const;
      assert.equal(completionRequest(part(ends, { fields }), null)?.range, 'bytes=2-7');
    });

    it('asks for one range over all gaps', () => {
      const islands = [
        [2, 4],
        [6, 7],
      ] as const;
      assert.equal(completionRequest(part(islands, { fields }), null)?.range, 'bytes=0-');
      assert.equal(completionRequest(part(islands, { fields }), interval(3, 9))?.range, 'bytes=4-8');
      assert.equal(completionRequest(part(islands, { fields }), interval(3, 7))?.range, 'bytes=4-5');
    });

    it('asks for nothing if all that is wanted is held', () => {
      assert.equal(completionRequest(part([[0, 5]], { fields }), interval(1, 5)), null);
      assert.equal(completionRequest(stored({ fields }), null), null);
    });

    it('asks for no more than there is', () => {
      assert.equal(completionRequest(part([[0, 5]], { fields }), interval(3, 1000))?.range, 'bytes=5-');
    });

    it('asks for an open range if the length is not known', () => {
      assert.equal(completionRequest(part([[0, 5]], { fields, length: null }), null)?.range, 'bytes=5-');
      assert.equal(completionRequest(part([[0, 5]], { fields, length: null }), interval(0, 8))?.range, 'bytes=5-7');
    });

    it('is impossible without a strong validator (RFC 9111 §3.4)', () => {
      assert.equal(completionRequest(part([[0, 5]]), null), null);
      assert.equal(completionRequest(part([[0, 5]], { fields: { ETag: 'W/"a"' } }), null), null);
    });

    it('is done with a strong Last-Modified where there is no entity-tag (RFC 9110 §13.1.5)', () => {
      const dated = { 'Last-Modified': 'Sat, 21 Nov 2026 01:00:00 GMT', Date: 'Sat, 21 Nov 2026 03:00:00 GMT' };
      assert.equal(completionRequest(part([[0, 5]], { fields: dated }), null)?.ifRange, dated['Last-Modified']);
    });

    it('what is asked for brings all that was missing', () => {
      fc.assert(
        fc.property(someIntervals, anyInterval, (added, wanted) => {
          const held = holdAll(added);
          const example = stored({ fields, held, length: bytes(size), complete: false });
          const request = completionRequest(example, wanted);
          if (request === null) assert.equal(covers(held, wanted), true);
          else {
            const [, from, last] = /^bytes=(\d+)-(\d*)$/.exec(request.range) ?? [];
            const brought = interval(Number(from), last === '' ? size : Number(last) + 1);
            assert.equal(covers(addInterval(held, brought), wanted), true);
            assert.ok(brought.from >= wanted.from && brought.to <= wanted.to, JSON.stringify({ brought, wanted }));
          }
        }),
      );
    });
  });
});
