import assert from 'node:assert/strict';
import { joinAnswerText, parseJoinAnswer, type ReplicaAnswer } from '../../../replication/tree/join-answer.js';
import { epochMs, milliseconds } from '../../../config/units.js';
import { parseKeyId } from '../../../wlis/trust/public-key.js';
import { site } from './tree-network.js';

describe('the answer to a membership', () => {
  it('has no time beyond those that can be written as a date', () => {
    const parent = { id: parseKeyId('A'.repeat(43), 'test'), url: 'http://p.example' };
    const until = (time: number): ReplicaAnswer => ({
      ...{ as: 'replica', renewAfter: milliseconds(1000), depth: 1, parent, ancestors: [], group: null },
      activeUntil: epochMs(time),
    });
    const latest = until(8_640_000_000_000_000);
    assert.deepEqual(parseJoinAnswer(joinAnswerText(latest), site), latest);
    const text = joinAnswerText(until(8_640_000_000_000_001));
    assert.throws(() => parseJoinAnswer(text, site), { reason: 'malformed' });
  });
});
