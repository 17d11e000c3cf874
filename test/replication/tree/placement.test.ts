import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../../config/units.js';
import { placed, type TreeMember, type TreePlace } from '../../../replication/tree/placement.js';
import { covers } from '../../../replication/tree/subset-cover.js';
import type { KeyId } from '../../../wlis/trust/public-key.js';
import type { Subset } from '../../../wlis/trust/subset.js';

const subset = (over: Partial<Subset>): Subset => ({ include: [], exclude: [], maxBytes: null, ...over });

const member = (id: string, over: Partial<TreeMember> = {}): TreeMember => ({
  ...{ id: id as KeyId, isReachable: true, subset: null, update: 'immediately', parent: undefined },
  ...over,
});

const members = (count: number): TreeMember[] =>
  Array.from({ length: count }, (_, i) => member(`m${String(i).padStart(4, '0')}`));

type Places = ReadonlyMap<KeyId, TreePlace>;

const keeping = (all: readonly TreeMember[], places: Places): TreeMember[] =>
  all.map((one) => ({ ...one, parent: places.has(one.id) ? places.get(one.id)?.parent : undefined }));

const limits = { fanOut: 3, deepest: 4 };

const subsets = fc.constantFrom<Subset | null>(
  ...[null, null, null],
  subset({ include: ['en/**'] }),
  subset({ include: ['en/man/**'], maxBytes: bytes(1000) }),
  subset({ exclude: ['**/*.iso'] }),
  subset({ maxBytes: bytes(500) }),
);

const strangers = fc.record(
  {
    id: fc.integer({ min: 0, max: 60 }).map((n) => `m${n}` as KeyId),
    isReachable: fc.boolean(),
    subset: subsets,
    update: fc.constantFrom('immediately' as const, 'immediately' as const, 'scheduled' as const),
    // whatever a file may say: loops, and parents that are gone or could not be one
    parent: fc.option(
      fc.oneof(
        fc.constant(null),
        fc.integer({ min: 0, max: 70 }).map((n) => `m${n}` as KeyId),
      ),
      { nil: undefined },
    ),
  },
  { noNullPrototype: true },
);

const forests = fc.uniqueArray(strangers, { selector: ({ id }) => id, maxLength: 60 });

/** All that has to be so, however it came about. */
function check(all: readonly TreeMember[], places: Places, { deepest, fanOut } = limits): void {
  assert.deepEqual([...places.keys()].sort(), all.map(({ id }) => id).sort(), 'each has a place');
  const byId = new Map(all.map((one) => [one.id, one]));
  for (const [id, { parent, depth }] of places) {
    assert.ok(depth >= 1 && depth <= deepest, `${id} is ${depth} deep`);
    if (parent === null) {
      assert.equal(depth, 1);
      continue;
    }
    // a depth of one more than the parent's, everywhere, leaves no room for a loop
    assert.equal(depth, (places.get(parent)?.depth ?? NaN) + 1, `${id} below ${parent}`);
    const [above, child] = [byId.get(parent)!, byId.get(id)!];
    assert.ok(above.isReachable && above.update === 'immediately', `${parent} cannot be a parent`);
    assert.ok(covers(above.subset, child.subset), `${parent} lacks what ${id} holds`);
  }
  const counts = new Map<KeyId, number>();
  for (const { parent } of places.values()) if (parent !== null) counts.set(parent, (counts.get(parent) ?? 0) + 1);
  const kept = (id: KeyId): number => all.filter(({ parent }) => parent === id).length;
  for (const [id, count] of counts) assert.ok(count <= Math.max(fanOut, kept(id)), `${id} has ${count} children`);
}

describe('places in the tree of servers', () => {
  it('are filled from the primary on, each with as many children as the fan-out', () => {
    const places = placed(members(3 + 9 + 27), limits);
    const atDepth = (depth: number): number => [...places.values()].filter((place) => place.depth === depth).length;
    assert.deepEqual([1, 2, 3, 4].map(atDepth), [3, 9, 27, 0]);
  });

  it('are given to all, without loops, below those who can feed them, and not too deep', () => {
    fc.assert(fc.property(forests, (all) => check(all, placed(all, limits))));
  });

  it('are the same for the same replicas in any order', () => {
    fc.assert(
      fc.property(forests, fc.infiniteStream(fc.nat()), (all, chance) => {
        const ranks = new Map(all.map(({ id }) => [id, chance.next().value as number]));
        const turned = [...all].sort((a, b) => ranks.get(a.id)! - ranks.get(b.id)!);
        assert.deepEqual(new Map([...placed(turned, limits)].sort()), new Map([...placed(all, limits)].sort()));
      }),
    );
  });

  it('are kept: nobody is moved where nothing has changed', () => {
    fc.assert(
      fc.property(forests, (all) => {
        const first = placed(all, limits);
        assert.deepEqual(new Map([...placed(keeping(all, first), limits)].sort()), new Map([...first].sort()));
      }),
    );
  });

  it('are kept when others come', () => {
    fc.assert(
      fc.property(forests, fc.nat(59), (all, split) => {
        const first = all.slice(0, split);
        const before = placed(first, limits);
        const after = placed([...keeping(first, before), ...all.slice(split).map(fresh)], limits);
        for (const [id, place] of before) assert.deepEqual(after.get(id), place);
      }),
    );
  });

  it('are kept by all but the children of one who goes', () => {
    fc.assert(
      fc.property(forests, fc.nat(59), (all, index) => {
        const deep = { fanOut: 3, deepest: 64 };
        const before = placed(all, deep);
        const gone = all[index]?.id;
        const left = keeping(all, before).filter(({ id }) => id !== gone);
        const after = placed(left, deep);
        check(left, after, deep);
        for (const { id, parent } of left) {
          if (parent !== gone) assert.equal(after.get(id)?.parent, parent, `${id} was moved`);
        }
      }),
    );
  });

  it('are below the primary for whom no replica can feed', () => {
    const windows = Array.from({ length: 20 }, (_, i) => member(`w${i}`, { update: 'scheduled' }));
    assert.ok(
      [...placed(windows, limits).values()].every(({ depth }) => depth === 1),
      'a window has children',
    );
    const part = subset({ include: ['en/**'] });
    const parts = [0, 1, 2].map((i) => member(`p${i}`, { subset: part, parent: null }));
    assert.equal(placed([...parts, member('whole')], limits).get('whole' as KeyId)?.parent, null);
    assert.notEqual(placed([...parts, member('part', { subset: part })], limits).get('part' as KeyId)?.parent, null);
  });

  it('of 1024 replicas are found, too', () => {
    assert.equal(placed(members(1024), { fanOut: 8, deepest: 8 }).size, 1024);
  });
});

const fresh = (one: TreeMember): TreeMember => ({ ...one, parent: undefined });

describe('a subset', () => {
  it('covers another only if it has all of it', () => {
    const cases: readonly (readonly [Subset | null, Subset | null, boolean])[] = [
      [null, null, true],
      [null, subset({ include: ['a'] }), true],
      [subset({ include: ['a/**'] }), null, false],
      [subset({ include: ['a/**'] }), subset({ include: ['a/b/*.html'] }), true],
      [subset({ include: ['a/**'] }), subset({ include: ['a/b', 'b/a'] }), false],
      [subset({ include: ['a/'] }), subset({ include: ['a/b/'] }), true],
      [subset({ include: ['a/*'] }), subset({ include: ['a/'] }), false],
      [subset({ include: ['**'] }), subset({ exclude: ['x'] }), false],
      [subset({ include: ['a/**'] }), subset({ exclude: ['x'] }), false],
      [subset({ exclude: ['x/y'] }), subset({ exclude: ['x/**'] }), true],
      [subset({ exclude: ['x/**'] }), subset({ exclude: ['x/y'] }), false],
      [subset({ exclude: ['x'] }), subset({ maxBytes: bytes(1) }), false],
      [subset({ maxBytes: bytes(2) }), subset({ maxBytes: bytes(1) }), true],
      [subset({ maxBytes: bytes(1) }), subset({ maxBytes: bytes(2) }), false],
      [subset({ maxBytes: bytes(1) }), subset({ include: ['a'] }), false],
    ];
    for (const [outer, inner, expected] of cases) {
      assert.equal(covers(outer, inner), expected, JSON.stringify([outer, inner]));
    }
  });
});
