import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BlockPlan } from '../../../replication/pull/block-plan.js';

/** A block list in which each letter is a block. */
const listOf = (letters: string): Buffer =>
  Buffer.concat(Array.from(letters, (letter) => Buffer.alloc(32, letter.charCodeAt(0))));

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), maxLength: 20 });

describe('the plan of the blocks of a content', () => {
  it('gets each block from where it is, pulls what is nowhere once, and each step as long as can be', () => {
    fc.assert(
      fc.property(letters, fc.array(letters, { maxLength: 3 }), (wanted, others) => {
        const plan = new BlockPlan(
          listOf(wanted),
          others.map((content) => ({ content, list: listOf(content) })),
        );
        let got = '';
        let pulled = '';
        let before: string | null = null;
        while (got.length < wanted.length) {
          const step = plan.stepAt(got.length);
          assert.ok(step.count > 0, 'a step without a block');
          if (step.kind === 'pull') {
            assert.notEqual(before, 'pull');
            const some = wanted.slice(got.length, got.length + step.count);
            pulled += some;
            got += some;
          } else {
            // a block that is there again may have come in the same step
            for (let i = 0; i < step.count; i++) got += (step.kind === 'here' ? step.content : got).charAt(step.at + i);
          }
          before = step.kind;
        }
        assert.equal(got, wanted);
        assert.deepEqual(
          Array.from(pulled).sort(),
          [...new Set(wanted)].filter((one) => !others.join('').includes(one)).sort(),
        );
      }),
    );
  });

  it('pulls what a content was to give that cannot be read', () => {
    const plan = new BlockPlan(listOf('abcd'), [
      { content: 'one', list: listOf('ab') },
      { content: 'two', list: listOf('abc') },
    ]);
    assert.deepEqual(plan.stepAt(0), { kind: 'here', content: 'one', at: 0, count: 2 });
    plan.forget('one');
    assert.deepEqual(plan.stepAt(0), { kind: 'pull', count: 2 });
    assert.deepEqual(plan.stepAt(2), { kind: 'here', content: 'two', at: 2, count: 1 });
  });
});
