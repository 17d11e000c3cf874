import assert from 'node:assert/strict';
import { milliseconds } from '../../config/units.js';
import { cronFault, UpdateWindow } from '../../replication/update-window.js';
import { FakeClock } from '../support/fake-clock.js';

const hour = milliseconds(3_600_000);

function windowAt(time: string, timezone = 'UTC') {
  const clock = new FakeClock(time);
  const changes: boolean[] = [];
  const window = new UpdateWindow(
    { cron: '0 3 * * *', timezone, for: hour },
    clock,
    (isOpen) => void changes.push(isOpen),
  );
  window.start();
  window.stop();
  return { isOpen: window.isOpen, changes };
}

describe('a window for updates', () => {
  it('is open from a time of its schedule on, for as long as it says', () => {
    assert.deepEqual(windowAt('2026-03-02T02:59:59Z'), { isOpen: false, changes: [] });
    assert.deepEqual(windowAt('2026-03-02T03:00:00Z'), { isOpen: true, changes: [true] });
    assert.deepEqual(windowAt('2026-03-02T03:59:59Z'), { isOpen: true, changes: [true] });
    assert.deepEqual(windowAt('2026-03-02T04:00:00Z'), { isOpen: false, changes: [] });
  });

  it('goes by its time zone, in summer too', () => {
    assert.equal(windowAt('2026-01-05T02:30:00Z', 'Europe/Berlin').isOpen, true);
    assert.equal(windowAt('2026-07-06T02:30:00Z', 'Europe/Berlin').isOpen, false);
    assert.equal(windowAt('2026-07-06T01:30:00Z', 'Europe/Berlin').isOpen, true);
  });

  it('of a schedule that cannot be is refused in words', () => {
    assert.equal(cronFault('0 3 * * 1-5'), null);
    assert.match(cronFault('0 25 * * *') ?? '', /hour/);
  });
});
