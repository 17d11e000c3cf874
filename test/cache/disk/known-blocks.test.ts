import assert from 'node:assert/strict';
import fc from 'fast-check';
import { KnownBlocks } from '../../../proxy/cache/disk/known-blocks.js';

const block = (text: string): Buffer => Buffer.from(text);

describe('blocks that were checked', () => {
  it('are known again by their bytes, and by no others', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        (all, at, bit) => {
          const known = new KnownBlocks();
          known.add('a', 1, Buffer.from(all), 3);
          assert.equal(known.check('a', 1, Buffer.from(all)), true);
          const changed = Buffer.from(all);
          changed[at % all.length]! ^= 1 << bit;
          assert.equal(known.check('a', 1, changed), false);
        },
      ),
    );
  });

  it('are not known before, nor are their neighbours and namesakes', () => {
    const known = new KnownBlocks();
    assert.equal(known.check('a', 0, block('x')), null);
    known.add('a', 1, block('x'), 3);
    assert.equal(known.check('a', 0, block('x')), null);
    assert.equal(known.check('a', 2, block('x')), null);
    assert.equal(known.check('b', 1, block('x')), null);
  });

  it('are forgotten when so many others were checked or asked for since, and not before', () => {
    const known = new KnownBlocks(100);
    known.add('first', 0, block('x'), 1);
    known.add('kept', 0, block('y'), 1);
    for (let i = 0; i < 48; i++) known.add(`s${i}`, 0, block('z'), 1);
    assert.equal(known.check('first', 0, block('x')), true);
    for (let i = 0; i < 200; i++) {
      known.add(`t${i}`, 0, block('z'), 1);
      if (i % 10 === 0) assert.equal(known.check('kept', 0, block('y')), true);
    }
    assert.equal(known.check('first', 0, block('x')), null);
    assert.equal(known.check('s0', 0, block('z')), null);
  });
});
