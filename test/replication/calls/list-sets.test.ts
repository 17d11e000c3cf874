import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs } from '../../../config/units.js';
import { setsOf } from '../../../replication/calls/list-sets.js';
import { parsePosition, positionText } from '../../../replication/calls/list-position.js';
import { ChangeList } from '../../../replication/change-list.js';
import { digestOfText } from '../../../wlis/trust/digest.js';
import { ListReader, MOST_SETS, tailText } from '../../../wlis/trust/record-list.js';
import { disbelief } from '../../wlis/trust/disbelief.js';

const single = (seq: number) => ({ seq, together: seq });

describe('the sets of a list of changes', () => {
  it('are the numbers that become visible together', () => {
    assert.deepEqual(setsOf([]), []);
    assert.deepEqual(setsOf([single(1), single(2)]), []);
    assert.deepEqual(setsOf([single(1), { seq: 2, together: 4 }, { seq: 4, together: 4 }, single(5)]), [[2, 4]]);
    assert.deepEqual(setsOf([{ seq: 1, together: 5 }, { seq: 3, together: 8 }, single(9)]), [[1, 8]]);
    assert.deepEqual(setsOf([{ seq: 1, together: 2 }, single(2), { seq: 3, together: 4 }]), [
      [1, 2],
      [3, 4],
    ]);
  });

  it('have all that a change needs, whatever took the place of what, and are such as readers take', () => {
    const edits = fc.array(fc.tuple(fc.array(fc.nat(7), { minLength: 1, maxLength: 4 }), fc.boolean()));
    fc.assert(
      fc.property(edits, fc.nat(40), (rounds, since) => {
        const list = new ChangeList<string>();
        for (const [paths, isSet] of rounds) {
          const named = [...new Set(paths)].map((n) => ({ path: `p${n}`, document: 'x' }));
          list.apply(list.numbered(named, epochMs(0), isSet));
        }
        const found = list.since(Math.min(since, list.last), Infinity);
        const changes = found.kind === 'changes' ? found.changes : assert.fail();
        const sets = setsOf(changes);
        for (const { seq, together } of changes) {
          const isIn = sets.some(([from, to]) => from <= seq && together <= to);
          assert.ok(isIn || seq === together, `change ${seq} with ${together} in ${JSON.stringify(sets)}`);
        }
        const tail = { count: 0, seq: list.last, root: digestOfText(''), ...(sets.length > 0 && { sets }) };
        const reader = new ListReader(100_000);
        reader.take(`${tailText(tail)}\n`);
        assert.deepEqual(reader.end(), tail);
      }),
    );
  });

  it('are joined with their neighbours where there are too many', () => {
    const changes = Array.from({ length: 3000 }, (_, i) => ({ seq: 3 * i + 1, together: 3 * i + 2 }));
    const sets = setsOf(changes);
    assert.ok(sets.length <= MOST_SETS, `${sets.length} sets`);
    assert.deepEqual([sets[0], sets.at(-1)?.[1]], [[1, 11], 8999]);
    for (const { seq, together } of changes)
      assert.ok(
        sets.some(([from, to]) => from <= seq && together <= to),
        String(seq),
      );
  });
});

describe('a place in a list of changes', () => {
  const epoch = '1700000000000-0123456789abcdef';

  it('is written with the beginning of its root, and read again', () => {
    const root = digestOfText('root');
    const text = positionText({ epoch, seq: 812, root });
    assert.equal(text, `${epoch}.812.${root.slice(0, 16)}`);
    assert.deepEqual(parsePosition(text, 'x'), { epoch, seq: 812, rootBegin: root.slice(0, 16) });
    assert.deepEqual(parsePosition(positionText({ epoch, seq: 0, root: null }), 'x'), {
      epoch,
      seq: 0,
      rootBegin: null,
    });
  });

  it('is refused in any other form', () => {
    for (const text of ['', epoch, `${epoch}.`, `${epoch}.-1`, `${epoch}.01`, `${epoch}.1.`, `${epoch}.1.abc`, 'x.1']) {
      assert.throws(() => parsePosition(text, "'since'"), disbelief('malformed', /since/));
    }
    assert.throws(() => parsePosition(`${epoch}.9999999999999999`, 'x'), disbelief('malformed'));
    assert.throws(() => parsePosition(`${epoch}.1.${'A'.repeat(16)}`, 'x'), disbelief('malformed'));
  });
});
