import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RecentUses } from '../../../proxy/cache/disk/recent-uses.js';

describe('recent uses', () => {
  it('have the last use of as many subjects as they are to know, and of no more than twice as many', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 100 }),
        (most, subjects) => {
          const uses = new RecentUses(most);
          const last = new Map<string, number>();
          subjects.forEach((subject, i) => {
            uses.note(`${subject}`, i + 1);
            last.delete(`${subject}`);
            last.set(`${subject}`, i + 1);
            const all = [...last].reverse();
            for (const [one, at] of all.slice(0, most)) assert.equal(uses.of(one), at);
            for (const [one, at] of all) assert.equal([0, at].includes(uses.of(one)), true);
            const remembered = all.filter(([one]) => uses.of(one) > 0).length;
            assert.ok(remembered <= 2 * most, String(remembered));
          });
        },
      ),
    );
  });
});
