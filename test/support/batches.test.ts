import assert from 'node:assert/strict';
import { addedUp, batchesOf, countsIn, summary } from './batches.js';

describe('batches of tests', () => {
  it('have every file once, those of one room together, in parts where there are many', () => {
    const files = [
      ...Array.from({ length: 30 }, (_, at) => `test/http/${String(at).padStart(2, '0')}.test.ts`),
      ...['test/keys/a.test.ts', 'test/keys/inside/b.test.ts', 'test/architecture.test.ts'],
    ];
    const batches = batchesOf(files);
    assert.deepEqual(batches.flatMap((batch) => batch.files).toSorted(), files.toSorted());
    assert.deepEqual(
      batches.map(({ name, files: { length } }) => [name, length]),
      [
        ['keys', 2],
        ['test', 1],
        ['http (1 of 3)', 10],
        ['http (2 of 3)', 10],
        ['http (3 of 3)', 10],
      ],
    );
  });

  it('begin with those that take longest, and leave together what looks at each other', () => {
    const files = Array.from({ length: 40 }, (_, at) => `test/keys/${at}.test.ts`);
    const [first, second] = batchesOf(['test/base/a.test.ts', ...files, 'test/scenarios/b.test.ts']);
    assert.equal(first?.name, 'scenarios');
    assert.deepEqual([second?.name, second?.files.length], ['keys', 40]);
  });

  it('are counted by their last lines; one that ended without it, or with another code, has failed', () => {
    assert.deepEqual(countsIn('dots\n12 passed, 0 failed\n', '0'), { passed: 12, failed: 0, skipped: 0 });
    assert.deepEqual(countsIn('12 passed, 2 failed, 3 skipped\n', '2'), { passed: 12, failed: 2, skipped: 3 });
    assert.deepEqual(countsIn('12 passed, 0 failed\n', '1'), { passed: 12, failed: 1, skipped: 0 });
    assert.deepEqual(countsIn('12 passed, 0 failed\n', 'SIGKILL'), { passed: 12, failed: 1, skipped: 0 });
    assert.deepEqual(countsIn('it broke\n', 'SIGSEGV'), { passed: 0, failed: 1, skipped: 0 });
    assert.deepEqual(countsIn('', '0'), { passed: 0, failed: 1, skipped: 0 });
  });

  it('add up to the line in which the run ends', () => {
    const total = addedUp({ passed: 1, failed: 0, skipped: 2 }, { passed: 4, failed: 1, skipped: 0 });
    assert.equal(summary(total), '5 passed, 1 failed, 2 skipped');
    assert.equal(summary({ ...total, skipped: 0 }), '5 passed, 1 failed');
  });
});
