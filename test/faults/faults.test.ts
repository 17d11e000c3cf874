import assert from 'node:assert/strict';
import { contentOf } from './content.js';
import { FaultyRuns } from './faulty-runs.js';

describe('a store whose process is killed again and again, and whose files are damaged between', () => {
  it('gives no wrong byte, loses nothing it acknowledged, and keeps its bounds', async function () {
    this.timeout(180_000);
    const lines: string[] = [];
    const summary = await new FaultyRuns({ rounds: 20, seed: 4, onRound: (line) => lines.push(line) }).run();
    assert.deepEqual(summary.wrong, [], lines.join('\n'));
    assert.ok(summary.killed > 10 && summary.responsesChecked > 100, JSON.stringify(summary));
  });
});

describe('the content that it stores', () => {
  it('is the same wherever one begins, and another for every key and version', () => {
    const whole = contentOf('a', 1, 0, 1000);
    assert.deepEqual(contentOf('a', 1, 37, 555), whole.subarray(37, 555));
    assert.notDeepEqual(contentOf('a', 2, 0, 1000), whole);
    assert.notDeepEqual(contentOf('b', 1, 0, 1000), whole);
  });
});
