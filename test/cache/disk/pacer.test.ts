import assert from 'node:assert/strict';
import fc from 'fast-check';
import { bytes, type Milliseconds } from '../../../config/units.js';
import { Pacer } from '../../../proxy/cache/disk/pacer.js';
import { FakeClock } from '../../support/fake-clock.js';

const { signal } = new AbortController();

describe('a pacer', () => {
  /** A pacer whose pauses take exactly as long as they should, or longer. */
  function paced(rate: number, late = 0): { clock: FakeClock; pacer: Pacer; pauses: number[] } {
    const clock = new FakeClock();
    const pauses: number[] = [];
    const pause = (time: Milliseconds): Promise<void> => {
      pauses.push(time);
      clock.advance(time + late);
      return Promise.resolve();
    };
    return { clock, pauses, pacer: new Pacer({ rate: bytes(rate), clock, pause }) };
  }

  it('lets work take as long as its rate says, however small its pieces are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 200 }), async (pieces) => {
        const { clock, pacer } = paced(100_000);
        let done = 0;
        for (const piece of pieces) {
          await pacer.passed(bytes(piece), signal);
          done += piece;
          assert.ok(
            done - (clock.monotonic() * 100_000) / 1000 <= 2000,
            'no more than what is saved up is ahead of time',
          );
        }
        assert.ok((done * 1000) / 100_000 >= clock.monotonic() - 0.001, 'no pause is longer than it has to be');
      }),
    );
  });

  it('makes up for pauses that were too long', async () => {
    const { clock, pacer } = paced(1000, 50);
    for (let i = 0; i < 100; i++) await pacer.passed(bytes(100), signal);
    assert.ok(Math.abs(clock.monotonic() - 10_000) <= 100, String(clock.monotonic()));
  });

  it('does not make up for time in which nothing was to be done', async () => {
    const { clock, pacer, pauses } = paced(1000);
    clock.advance(60_000);
    for (let i = 0; i < 30; i++) await pacer.passed(bytes(100), signal);
    assert.deepEqual(
      pauses.reduce((sum, one) => sum + one, 0),
      2000,
    );
  });

  it('does not wait once the signal is given', async () => {
    const ending = new AbortController();
    const pacer = new Pacer({ rate: bytes(1), clock: new FakeClock() });
    const waiting = pacer.passed(bytes(1_000_000), ending.signal);
    ending.abort();
    await waiting;
    await pacer.passed(bytes(1_000_000), ending.signal);
  });
});
