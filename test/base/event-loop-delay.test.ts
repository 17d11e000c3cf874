import assert from 'node:assert/strict';
import { EventLoopDelay } from '../../proxy/base/event-loop-delay.js';
import { FakeClock } from '../support/fake-clock.js';

describe('the delay of the event loop', () => {
  /** Fulfilled when so many looks have been taken. */
  const looks = async ({ histogram }: EventLoopDelay, count: number): Promise<void> => {
    while (histogram.count < count) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  it('is by how much a look comes later than it should, and nothing while all is well', async () => {
    const clock = new FakeClock();
    const delay = new EventLoopDelay(clock);
    await looks(delay, 1);
    assert.equal(delay.histogram.sum, 0);
    clock.advance(550);
    await looks(delay, 2);
    assert.equal(delay.histogram.sum, 0.5);
    clock.advance(30);
    await looks(delay, 3);
    delay.stop();
    assert.equal(delay.histogram.sum, 0.5);
  });
});
