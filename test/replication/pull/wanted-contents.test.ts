import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../../config/units.js';
import { LONGEST_BUNDLED } from '../../../replication/pull/bundle-format.js';
import { WantedContents, type WantedContent } from '../../../replication/pull/wanted-contents.js';
import { digestOfText, type Digest } from '../../../wlis/trust/digest.js';

const named = (name: number, length: number, seq: number | null): WantedContent => {
  const digest = digestOfText(String(name));
  return { content: { digest, length: bytes(length), blockSize: bytes(65_536), blocks: digest }, relatives: [], seq };
};

const isBundled = ({ content, seq }: WantedContent): boolean => seq !== null && content.length <= LONGEST_BUNDLED;

const content = fc
  .tuple(fc.nat(9), fc.constantFrom(0, 10, 65_536, 65_537), fc.option(fc.integer({ min: 1, max: 99 })))
  .map(([name, length, seq]) => named(name, length, seq));

const act = fc.oneof(
  fc.record({ kind: fc.constant('next' as const), isBundling: fc.boolean() }),
  fc.record({
    kind: fc.constantFrom('done' as const, 'givenUp' as const, 'again' as const, 'later' as const),
    which: fc.nat(),
  }),
  fc.record({ kind: fc.constant('bundled' as const), which: fc.nat() }),
  fc.record({ kind: fc.constant('requeue' as const) }),
  fc.record({ kind: fc.constant('replace' as const), contents: fc.array(content, { maxLength: 12 }) }),
);

describe('the contents that are wanted', () => {
  it('each come once, in their order, unless they are asked for again; none is lost, and all are counted', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const wanted = new WantedContents();
        const waiting = new Map<Digest, WantedContent>();
        const running = new Map<Digest, WantedContent>();
        const later = new Map<Digest, WantedContent>();
        let [done, bytesDone] = [0, 0];
        const some = <T>(from: Map<Digest, T>, which: number): Digest | undefined =>
          [...from.keys()][which % from.size];
        for (const one of acts) {
          if (one.kind === 'next') {
            const next = wanted.next(one.isBundling);
            const fits = [...waiting.values()].filter((each) => !one.isBundling || !isBundled(each));
            assert.equal(next === null, fits.length === 0);
            if (next === null) continue;
            assert.ok(
              fits.some(({ content: { digest } }) => digest === next.content.digest),
              'it came twice',
            );
            waiting.delete(next.content.digest);
            running.set(next.content.digest, next);
          } else if (one.kind === 'replace') {
            wanted.replace(one.contents, (digest) => running.has(digest));
            const before = new Set(running.keys());
            for (const map of [waiting, running, later]) map.clear();
            for (const each of one.contents) {
              const { digest } = each.content;
              if (waiting.has(digest) || running.has(digest)) continue;
              (before.has(digest) ? running : waiting).set(digest, each);
            }
            [done, bytesDone] = [0, 0];
          } else if (one.kind === 'requeue') {
            assert.equal(wanted.requeue(), later.size);
            for (const [digest, each] of later) waiting.set(digest, each);
            later.clear();
          } else {
            const from = one.kind === 'bundled' ? waiting : running;
            const digest = some(from, one.which);
            const each = digest === undefined ? undefined : from.get(digest);
            if (digest === undefined || each === undefined) continue;
            from.delete(digest);
            if (one.kind === 'again' || one.kind === 'later') {
              wanted.failed(digest, one.kind === 'later');
              (one.kind === 'later' ? later : waiting).set(digest, each);
            } else if (one.kind === 'givenUp') wanted.givenUp(digest);
            else {
              wanted.done(digest);
              [done, bytesDone] = [done + 1, bytesDone + each.content.length];
            }
          }
          const left = [...waiting.values(), ...running.values(), ...later.values()];
          const bytesTotal = left.reduce((sum, each) => sum + each.content.length, bytesDone);
          assert.deepEqual(wanted.progress, { done, total: done + left.length, bytesDone, bytesTotal });
          const bundled = [...waiting.values()].filter(isBundled).map(({ seq }) => seq ?? 0);
          const [first, last] = [Math.min(...bundled), Math.max(...bundled)];
          assert.deepEqual(wanted.bundled, bundled.length === 0 ? null : { count: bundled.length, first, last });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are taken in the order in which they are wanted, what failed before what has not been tried', () => {
    const wanted = new WantedContents();
    const contents = [named(1, 10, 1), named(2, 1e6, 2), named(3, 10, null), named(4, 10, 4), named(5, 10, 5)];
    wanted.replace(contents, () => false);
    const next = (isBundling: boolean): number => {
      const taken = wanted.next(isBundling);
      return contents.findIndex(({ content: { digest } }) => digest === taken?.content.digest);
    };
    assert.deepEqual([next(true), next(false), next(false)], [1, 0, 2]);
    wanted.failed(contents[0]?.content.digest as Digest, true);
    wanted.failed(contents[1]?.content.digest as Digest, false);
    assert.deepEqual([next(false)], [1]);
    wanted.requeue();
    assert.deepEqual([next(false), next(false), next(false), wanted.next(false)], [0, 3, 4, null]);
  });
});
