import assert from 'node:assert/strict';
import { NodeRuns } from './node-runs.js';

describe('nodes that are killed again and again, among clients, on disks that fail', () => {
  it('give no wrong byte, undo no purge, lose nothing they gave from the store, and keep their bounds', async function () {
    this.timeout(180_000);
    const lines: string[] = [];
    const summary = await new NodeRuns({ rounds: 20, seed: 30, onRound: (line) => lines.push(line) }).run();
    assert.deepEqual(summary.wrong, [], lines.join('\n'));
    const { killed, hits, validated, survived, purges, troubles } = summary;
    assert.ok(killed > 10 && hits > 300 && validated > 50 && survived > 50 && purges > 10, JSON.stringify(summary));
    for (const trouble of ['full', 'second-process', 'descriptors', 'read-only'])
      assert.ok(troubles[trouble], JSON.stringify(troubles));
  });
});
