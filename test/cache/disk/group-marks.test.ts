import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../../config/units.js';
import type { KeyValueChange } from '../../../proxy/base/key-value.js';
import { GroupMarks } from '../../../proxy/cache/disk/group-marks.js';
import { groupsKey } from '../../../proxy/cache/disk/index-keys.js';
import { groupName } from '../../../proxy/cache/group-index.js';
import { key } from '../response-store/samples.js';

const name = (group: string): string => groupName('|http://example.com', group);
const inGroups = (...groups: string[]) => ({ key: key('/'), groups });
/** So many marks fit. */
const few = bytes(3 * (name('a').length + 100));

/** The part of an index that has the marks. */
class MarksIndex {
  readonly records = new Map<string, Buffer>();

  write(changes: readonly KeyValueChange[]): void {
    for (const change of changes) {
      if (change.type === 'put') this.records.set(change.key, change.value);
      else this.records.delete(change.key);
    }
  }

  load(): GroupMarks | null {
    const marks = [...this.records].filter(([key]) => key.startsWith('i!'));
    return GroupMarks.load(marks, this.records.get(groupsKey));
  }
}

describe('marks of invalidated cache groups', () => {
  it('concern what is in the group and older, and nothing else', () => {
    const marks = new GroupMarks();
    marks.add(name('a'), 5);
    assert.equal(marks.isAfter(inGroups('b', 'a'), 4), true);
    assert.equal(marks.isAfter(inGroups('a'), 6), false);
    assert.equal(marks.isAfter(inGroups('b'), 4), false);
    assert.equal(marks.isAfter(inGroups(), 4), false);
    assert.equal(marks.isAfter({ key: key('/', 'site'), groups: ['a'] }, 4), false);
  });

  it('never forget an invalidation, however many there were, and last', () => {
    const group = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    fc.assert(
      fc.property(fc.array(group, { maxLength: 30 }), group, fc.integer({ min: 0, max: 31 }), (added, asked, at) => {
        const index = new MarksIndex();
        const marks = new GroupMarks(few);
        const last = new Map<string, number>();
        for (const [i, one] of added.entries()) {
          index.write(marks.add(name(one), i + 1));
          last.set(one, i + 1);
        }
        const loaded = index.load();
        assert.ok(loaded !== null, 'some are missing');
        for (const one of [marks, loaded]) {
          if (at < (last.get(asked) ?? 0)) assert.equal(one.isAfter(inGroups(asked), at), true);
          if (at >= added.length) assert.equal(one.isAfter(inGroups(asked), at), false);
          assert.equal(one.isAfter(inGroups(asked), at), marks.isAfter(inGroups(asked), at));
        }
        assert.ok(index.records.size <= 4, 'they are bounded');
      }),
    );
  });

  it('that are lost, or are older ones again, are missed', () => {
    const index = new MarksIndex();
    const marks = new GroupMarks();
    index.write(marks.add(name('a'), 1));
    index.write(marks.add(name('b'), 2));
    const before = new Map(index.records);
    index.write(marks.add(name('a'), 3));
    const [one] = index.records.keys();
    for (const damage of [
      (): unknown => index.records.delete(`i!${name('b')}`),
      (): unknown => index.records.set(`i!${name('a')}`, before.get(`i!${name('a')}`) as Buffer),
      (): unknown => index.records.delete(groupsKey),
      (): unknown => index.records.set(groupsKey, before.get(groupsKey) as Buffer),
      (): unknown => index.records.set(groupsKey, Buffer.from('[')),
      (): unknown => index.records.set('i!another', index.records.get(one as string) as Buffer),
    ]) {
      const whole = new Map(index.records);
      assert.notEqual(index.load(), null);
      damage();
      assert.equal(index.load(), null, damage.toString());
      index.records.clear();
      for (const [key, value] of whole) index.records.set(key, value);
    }
  });

  it('end when everything is invalidated for another reason', () => {
    const index = new MarksIndex();
    const marks = new GroupMarks();
    index.write(marks.add(name('a'), 1));
    index.write(marks.clear());
    assert.deepEqual([...index.records.keys()], [groupsKey]);
    assert.equal(index.load()?.isAfter(inGroups('a'), 0), false);
  });
});
