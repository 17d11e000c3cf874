import assert from 'node:assert/strict';
import fc from 'fast-check';
import { epochMs } from '../../config/units.js';
import { ChangeList, type Change, type Since } from '../../replication/change-list.js';

const at = epochMs(1000);

interface Step {
  readonly paths: readonly string[];
  readonly isSet: boolean;
  readonly removes: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  paths: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { minLength: 1, maxLength: 4 }),
  isSet: fc.boolean(),
  removes: fc.boolean(),
});

/** A list, and the documents that were there after each number. */
function built(steps: readonly Step[]): { list: ChangeList<string>; states: Map<string, string>[]; ends: number[] } {
  const list = new ChangeList<string>();
  const states = [new Map<string, string>()];
  const ends = [0];
  for (const { paths, isSet, removes } of steps) {
    const edits = paths.map((path) => ({ path, document: removes ? null : `${path}@${states.length}` }));
    const changes = list.numbered(edits, at, isSet);
    list.apply(changes);
    for (const { path, document } of changes) {
      const state = new Map(states.at(-1));
      if (document === null) state.delete(path);
      else state.set(path, document);
      states.push(state);
      if (!isSet) ends.push(states.length - 1);
    }
    if (isSet) ends.push(states.length - 1);
  }
  return { list, states, ends };
}

function applied(state: ReadonlyMap<string, string>, changes: readonly Change<string>[]): Map<string, string> {
  const next = new Map(state);
  for (const { path, document } of changes) {
    if (document === null) next.delete(path);
    else next.set(path, document);
  }
  return next;
}

const changesIn = (since: Since<string>): readonly Change<string>[] => {
  if (since.kind !== 'changes') assert.fail(since.kind);
  return since.changes;
};

/** As somebody who gets them from elsewhere has them. */
const shown = (list: ChangeList<string>): Change<string>[] =>
  [...list.changes()].map(({ seq, path, at: time, document, together }) => ({
    seq,
    path,
    at: time,
    document,
    together,
  }));

const sorted = (state: ReadonlyMap<string, string>): [string, string][] =>
  [...state].sort(([a], [b]) => (a < b ? -1 : 1));

describe('a change list', () => {
  it('numbers changes from 1 without gaps, and changes nothing until they are applied', () => {
    const list = new ChangeList<string>();
    const changes = list.numbered(
      [
        { path: 'a', document: '{}' },
        { path: 'b', document: null },
      ],
      at,
      false,
    );
    assert.deepEqual(
      changes.map(({ seq, together }) => [seq, together]),
      [
        [1, 1],
        [2, 2],
      ],
    );
    assert.equal(list.last, 0);
    list.apply(changes);
    assert.equal(list.last, 2);
    assert.deepEqual(list.counts, { documents: 1, removals: 1 });
    assert.throws(() => list.apply(changes), RangeError);
  });

  it('gives, from any number on, all that leads to the present state', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const { list, states } = built(steps);
        for (const [seq, state] of states.entries()) {
          const changes = changesIn(list.since(seq, Infinity));
          assert.deepEqual(sorted(applied(state, changes)), sorted(states.at(-1) ?? new Map()));
        }
      }),
    );
  });

  it('gives pages that lead on, none of which ends within what is visible together', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.integer({ min: 1, max: 3 }), (steps, most) => {
        const { list, states, ends } = built(steps);
        for (const from of ends) {
          let [seq, state] = [from, states[from] ?? new Map<string, string>()];
          while (seq < list.last) {
            const page = list.since(seq, most);
            if (page.kind !== 'changes') assert.fail(page.kind);
            assert.ok(page.upTo > seq, `${page.upTo} after ${seq}`);
            assert.deepEqual(
              page.changes.filter(({ together }) => together > page.upTo),
              [],
            );
            [seq, state] = [page.upTo, applied(state, page.changes)];
          }
          assert.deepEqual(sorted(state), sorted(states.at(-1) ?? new Map()));
        }
      }),
    );
  });

  it('shows a set as a whole to whoever obeys `together`, whatever superseded parts of it', () => {
    const set = ['a', 'b', 'c'];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const { list, states, ends } = built([{ paths: set, isSet: true, removes: false }, ...steps]);
        // whoever is at 0 becomes visible step by step, each as small as `together` allows
        const changes = changesIn(list.since(0, Infinity));
        let needed = 0;
        for (const [index, change] of changes.entries()) {
          needed = Math.max(needed, change.together);
          const next = changes[index + 1];
          if (next !== undefined && next.seq <= needed) continue;
          const state = applied(new Map(), changes.slice(0, index + 1));
          // the documents of the set are those of one moment
          const moments = ends.filter((end) => set.every((path) => states[end]?.get(path) === state.get(path)));
          assert.ok(moments.length > 0, `no moment had ${JSON.stringify(sorted(state))}`);
        }
      }),
    );
  });

  it('is the same when it is made anew of its own changes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const { list } = built(steps);
        const plain = (one: Change<string>): unknown => [one.seq, one.path, one.document, one.together];
        const again = new ChangeList<string>({ last: list.last, floor: list.floor, changes: [...list.changes()] });
        assert.deepEqual([...again.changes()].map(plain), [...list.changes()].map(plain));
        assert.equal(again.last, list.last);
        assert.deepEqual(again.counts, list.counts);
      }),
    );
  });

  it('says of numbers that it does not have that they are ahead, and of those before forgotten removals that they are forgotten', () => {
    const list = new ChangeList<string>();
    list.apply(
      list.numbered(
        [
          { path: 'a', document: '{}' },
          { path: 'b', document: '{}' },
        ],
        epochMs(1),
        false,
      ),
    );
    list.apply(list.numbered([{ path: 'a', document: null }], epochMs(2), false));
    list.apply(list.numbered([{ path: 'b', document: null }], epochMs(3), false));
    assert.equal(list.forgetRemovals(epochMs(3)), 1);
    assert.equal(list.since(5, 10).kind, 'ahead');
    assert.equal(list.since(2, 10).kind, 'forgotten');
    assert.deepEqual(
      changesIn(list.since(3, 10)).map(({ path }) => path),
      ['b'],
    );
    assert.deepEqual(list.counts, { documents: 0, removals: 1 });
  });

  it('that takes over the changes of another says the same, whatever becomes of either', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 12 }),
        fc.array(step, { maxLength: 6 }),
        fc.nat(60),
        (steps, more, from) => {
          const { list } = built(steps);
          const copy = new ChangeList({ last: list.last, floor: list.floor, changes: list.changes() });
          const before = JSON.stringify(shown(copy));
          const lone = new ChangeList({ last: list.last, floor: list.floor, changes: shown(list) });
          for (const { paths, isSet, removes } of more) {
            const edits = paths.map((path) => ({ path, document: removes ? null : `${path}, later` }));
            list.apply(list.numbered(edits, at, isSet));
          }
          assert.equal(JSON.stringify(shown(copy)), before);
          const number = Math.min(from, copy.last);
          assert.deepEqual(copy.since(number, 3), lone.since(number, 3));
          const ahead = list.since(copy.last, Infinity);
          copy.apply(changesIn(ahead));
          assert.deepEqual(shown(copy), shown(list));
        },
      ),
    );
  });
});
