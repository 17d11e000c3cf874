import assert from 'node:assert/strict';
import { bytes } from '../../../config/units.js';
import { PromptReads } from '../../../proxy/cache/disk/prompt-reads.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('reads that are made at once', () => {
  let clock: FakeClock;
  let fetched: number | null;
  let reads: PromptReads;

  beforeEach(() => {
    clock = new FakeClock();
    fetched = 0;
    reads = new PromptReads(clock, { fetched: () => (fetched === null ? null : bytes(fetched)) });
  });

  /** A read that takes so many milliseconds, and brings so many bytes from the disk. */
  const read = (took: number, brought: number): string =>
    reads.make(() => {
      clock.advance(took);
      if (fetched !== null) fetched += brought;
      return 'read';
    });

  /** For how many milliseconds none is made at once. */
  const pause = (): number => {
    let passed = 0;
    for (; !reads.areOn(); passed++) clock.advance(1);
    return passed;
  };

  it('go on as long as the kernel has it all in memory', () => {
    for (let i = 0; i < 1000; i++) assert.equal(read(0.05, 0), 'read');
    assert.equal(reads.areOn(), true);
  });

  it('go on if the machine is busy and nothing came from the disk', () => {
    assert.equal(read(20, 0), 'read');
    assert.equal(reads.areOn(), true);
  });

  it('go on if the disk is as fast as memory', () => {
    read(0.05, 4096);
    assert.equal(reads.areOn(), true);
  });

  it('cease for a while after one that waited for the disk, and for longer if that happens again', () => {
    const pauses = [];
    for (let i = 0; i < 12; i++) {
      read(5, 4096);
      pauses.push(pause());
    }
    assert.deepEqual(pauses.slice(0, 4), [50, 100, 200, 400]);
    assert.equal(pauses.at(-1), 10_000);
  });

  it('cease shortly again after a long time without such a read', () => {
    for (let i = 0; i < 5; i++) {
      read(5, 4096);
      pause();
    }
    clock.advance(60_000);
    read(5, 4096);
    assert.equal(pause(), 50);
  });

  it('cease after any that is slow where nobody counts what comes from the disk', () => {
    fetched = null;
    read(5, 0);
    assert.equal(pause(), 50);
  });

  it('learn from a read that fails, and pass its error on', () => {
    const failing = (): never => {
      clock.advance(5);
      fetched = 4096;
      throw new Error('EIO');
    };
    assert.throws(() => reads.make(failing), /EIO/);
    assert.equal(reads.areOn(), false);
  });
});
