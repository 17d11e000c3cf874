import assert from 'node:assert/strict';
import { bytes } from '../../config/units.js';
import { InvalidationMarks } from '../../proxy/cache/invalidation-marks.js';

describe('InvalidationMarks', () => {
  it('tells what was begun before an invalidation from what was begun after it', () => {
    const marks = new InvalidationMarks(bytes(10_000));
    const before = marks.current();
    marks.add('a');
    const after = marks.current();
    assert.equal(marks.isAfter('a', before), true);
    assert.equal(marks.isAfter('a', after), false);
    assert.equal(marks.isAfter('b', before), false);
  });

  it('takes everything begun before a forgotten mark as invalidated, and nothing begun later', () => {
    const marks = new InvalidationMarks(bytes(1000));
    const before = marks.current();
    marks.add('forgotten');
    const between = marks.current();
    for (let i = 0; i < 9; i++) marks.add(`${i}`);
    assert.equal(marks.isAfter('forgotten', before), true);
    assert.equal(marks.isAfter('never', before), true);
    assert.equal(marks.isAfter('never', marks.current()), false);
    assert.equal(marks.isAfter('8', between), true);
  });

  it('is bounded, and keeps one mark a subject', () => {
    const marks = new InvalidationMarks(bytes(1000));
    const before = marks.current();
    for (let i = 0; i < 1000; i++) marks.add('same');
    assert.equal(marks.isAfter('other', before), false);
    for (let i = 0; i < 1000; i++) marks.add(`${i}`);
    assert.equal(marks.isAfter('other', marks.current()), false);
    assert.equal(marks.isAfter('other', before), true);
  });

  it('remembers an invalidation whose subject alone exceeds its bound', () => {
    const marks = new InvalidationMarks(bytes(1000));
    const before = marks.current();
    marks.add('x'.repeat(5000));
    assert.equal(marks.isAfter('x'.repeat(5000), before), true);
    assert.equal(marks.isAfter('x'.repeat(5000), marks.current()), false);
  });
});
