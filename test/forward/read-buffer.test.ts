import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes } from '../../config/units.js';
import { ReadBuffer } from '../../proxy/forward/read-buffer.js';

const fill = (buffer: ReadBuffer, needed = false): void => buffer.used(bytes(buffer.current.length), needed);

describe('the buffer that a connection is read into', () => {
  it('grows when it is filled, to 64 KiB and to 512 KiB, and no more', () => {
    const buffer = new ReadBuffer();
    const sizes: number[] = [];
    for (let read = 0; read < 4; read++) {
      sizes.push(buffer.current.length);
      fill(buffer);
    }
    buffer.end(false);
    assert.deepEqual(sizes, [16_384, 65_536, 524_288, 524_288]);
  });

  it('shrinks by a step after eight successive reads for which the smaller one would have done', () => {
    const buffer = new ReadBuffer();
    fill(buffer);
    fill(buffer);
    const sizesAfter = (size: number, times: number): number[] =>
      Array.from({ length: times }, () => {
        buffer.used(bytes(size), false);
        return buffer.current.length;
      });
    assert.deepEqual(sizesAfter(65_536, 7), Array(7).fill(524_288));
    assert.deepEqual(sizesAfter(65_537, 1), [524_288]);
    assert.deepEqual(sizesAfter(65_536, 8), [...Array<number>(7).fill(524_288), 65_536]);
    assert.deepEqual(sizesAfter(16_384, 8), [...Array<number>(7).fill(65_536), 16_384]);
    assert.deepEqual(sizesAfter(1, 20), Array(20).fill(16_384));
  });

  it('of the largest there are 128 at a time, and one that is given back serves another connection', () => {
    const buffers = Array.from({ length: 129 }, () => new ReadBuffer());
    try {
      for (const buffer of buffers) {
        fill(buffer);
        fill(buffer);
      }
      const [first, last] = [buffers[0]!, buffers[128]!];
      assert.deepEqual([buffers[127]!.current.length, last.current.length], [524_288, 65_536]);
      const released = first.current;
      first.end(false);
      buffers.shift();
      fill(last);
      assert.equal(last.current, released);
    } finally {
      for (const buffer of buffers) buffer.end(false);
    }
  });

  it('no two connections ever have the same, nor one whose bytes are still needed', () => {
    const step = fc.record({
      who: fc.nat(1),
      times: fc.constantFrom(1, 2, 8),
      full: fc.boolean(),
      needed: moreOften(false),
      ends: moreOften(false),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const buffers = [new ReadBuffer(), new ReadBuffer()];
        /** Bytes that wait to be written, by whose connection read them; none is read before its own are written. */
        const waiting = new Map<ReadBuffer, Buffer>();
        for (const { who, times, full, needed, ends } of steps) {
          const buffer = buffers[who]!;
          for (let n = 1; n < times; n++) buffer.used(bytes(full ? buffer.current.length : 1), false);
          const read = buffer.current;
          if (needed) waiting.set(buffer, read);
          else waiting.delete(buffer);
          buffer.used(bytes(full ? read.length : 1), needed);
          if (ends) {
            buffer.end(needed);
            buffers[who] = new ReadBuffer();
          }
          assert.notEqual(buffers[0]!.current, buffers[1]!.current);
          for (const one of buffers) {
            for (const [owner, bytesWaiting] of waiting)
              assert.ok(owner === one || bytesWaiting !== one.current, 'two share their bytes');
          }
        }
        for (const buffer of buffers) buffer.end(true);
      }),
      { numRuns: 500 },
    );
  });
});

const moreOften = (value: boolean): fc.Arbitrary<boolean> => fc.nat(3).map((n) => (n > 0 ? value : !value));
