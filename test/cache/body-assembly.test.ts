import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../config/units.js';
import { BodyAssembly } from '../../proxy/cache/body-assembly.js';

const kib = 1024;

describe('BodyAssembly', () => {
  /** A chunk as a view of a receive buffer that is `slack` bytes longer. */
  const chunk = fc
    .record({
      length: fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 20 * kib }), fc.integer({ min: 15 * kib, max: 100 * kib })),
      slack: fc.oneof(fc.constant(0), fc.nat({ max: 200 * kib })),
      fill: fc.nat({ max: 255 }),
    })
    .map(({ length, slack, fill }) => Buffer.alloc(length + slack, fill).subarray(slack, slack + length));

  it('gives what was added, in few blocks that hold hardly more memory than the body is long', () => {
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 40 }), fc.boolean(), (chunks, isKnown) => {
        const whole = Buffer.concat(chunks);
        const assembly = new BodyAssembly(isKnown ? bytes(whole.length) : null);
        for (const one of chunks) if (one.length > 0) assembly.add(one);
        assert.equal(assembly.length, whole.length);
        const blocks = assembly.finish();
        assert.deepEqual(Buffer.concat(blocks), whole);
        const held = [...new Set(blocks.map(({ buffer }) => buffer))].reduce((sum, one) => sum + one.byteLength, 0);
        assert.ok(held <= whole.length * (whole.length <= 64 * kib ? 1 : 2), `${held} for ${whole.length}`);
        if (whole.length <= 64 * kib) assert.ok(blocks.length <= 1, String(blocks.length));
        else assert.ok(blocks.length <= 2 + whole.length / (8 * kib), `${blocks.length} blocks`);
      }),
    );
  });

  it('says beforehand how much memory a chunk will take', () => {
    const assembly = new BodyAssembly(bytes(1000));
    assert.equal(assembly.growth(Buffer.alloc(400)), 400);
    assembly.add(Buffer.alloc(400));
    assert.equal(assembly.growth(Buffer.alloc(200)), 600);
    assembly.add(Buffer.alloc(200));
    assert.equal(assembly.growth(Buffer.alloc(400)), 0);
    assert.equal(assembly.growth(Buffer.alloc(64 * kib)), 64 * kib);
  });
});
