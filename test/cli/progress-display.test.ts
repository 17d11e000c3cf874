import assert from 'node:assert/strict';
import { bytes } from '../../config/units.js';
import type { UpkeepProgress } from '../../proxy/cache/disk/upkeep.js';
import { ProgressDisplay } from '../../proxy/cli/progress-display.js';
import { FakeClock } from '../support/fake-clock.js';

const mebibyte = 1024 * 1024;

describe('how far work has come is shown', () => {
  let clock: FakeClock;
  let written: string[];
  beforeEach(() => {
    clock = new FakeClock();
    written = [];
  });

  const display = (width: number | null): ProgressDisplay =>
    new ProgressDisplay({
      ...{
        label: 'verify',
        phases: { index: 'the index', files: 'the files' },
        clock,
        write: (text: string) => void written.push(text),
      },
      width: width === null ? null : () => width,
    });

  const at = (mebibytes: number, over: Partial<UpkeepProgress> = {}): UpkeepProgress => ({
    ...{ phase: 'responses', responses: 1, ofResponses: 4, damaged: 0 },
    bytes: bytes(mebibytes * mebibyte),
    ofBytes: bytes(1024 * mebibyte),
    ...over,
  });

  it('on a terminal by a bar with percent, rate and time left, drawn anew up to ten times a second', () => {
    const shown = display(80);
    shown.show(at(0));
    clock.advance(99);
    shown.show(at(1));
    clock.advance(1901);
    shown.show(at(256));
    shown.end();
    assert.deepEqual(written, [
      `\rverify  ${'░'.repeat(40)}  0 %  0 B of 1 GiB\x1b[K`,
      `\rverify  ${'█'.repeat(7)}${'░'.repeat(19)}  25 %  256 MiB of 1 GiB  128 MiB/s  6 s left\x1b[K`,
      '\r\x1b[K',
    ]);
  });

  it('elsewhere by complete lines every five seconds', () => {
    const shown = display(null);
    for (let second = 0; second <= 11; second++) {
      shown.show(at(second * 10));
      clock.advance(1000);
    }
    shown.end();
    assert.deepEqual(written, [
      'verify: 0 %, 0 B of 1 GiB\n',
      'verify: 4 %, 50 MiB of 1 GiB, 10 MiB/s, 1 min 38 s left\n',
      'verify: 9 %, 100 MiB of 1 GiB, 10 MiB/s, 1 min 33 s left\n',
    ]);
  });

  it('with the damage that was found, and what is gone through where there are no percents', () => {
    const shown = display(null);
    shown.show(at(512, { damaged: 3 }));
    clock.advance(5000);
    shown.show(at(1024, { phase: 'files', damaged: 3 }));
    assert.deepEqual(written, ['verify: 50 %, 512 MiB of 1 GiB, 3 damaged\n', 'verify: the files, 3 damaged\n']);
  });

  it('within the width of the terminal, without a bar where there is no room for one', () => {
    const shown = display(50);
    shown.show(at(512, { damaged: 1000 }));
    assert.equal(written[0], '\rverify  50 %  512 MiB of 1 GiB  1000 damaged\x1b[K');
    clock.advance(1000);
    shown.show(at(600, { damaged: 1000 }));
    assert.equal(written[1], '\rverify  58 %  600 MiB of 1 GiB  88 MiB/s  5 s lef\x1b[K');
  });
});
