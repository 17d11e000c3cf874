import assert from 'node:assert/strict';
import { standingOf, standings } from '../../replication/replica-standing.js';

describe('a replica beside a version of its primary', () => {
  const version = { epoch: '2-b', seq: 10 };
  const at = (epoch: string, seq: number, isActive = true) => ({ held: { epoch, seq }, isActive });

  it('is in step if it holds that version, or a later one of its epoch', () => {
    assert.deepEqual(
      [at('2-b', 10), at('2-b', 11)].map((replica) => standingOf(replica, version)),
      ['in-step', 'in-step'],
    );
  });

  it('is behind if it holds an earlier one, one of another epoch, or nothing', () => {
    const replicas = [at('2-b', 9), at('1-a', 99), { held: null, isActive: true }];
    assert.deepEqual(
      replicas.map((replica) => standingOf(replica, version)),
      ['behind', 'behind', 'behind'],
    );
  });

  it('is silent if it was not heard of in time, whatever it holds', () => {
    assert.equal(standingOf(at('2-b', 10, false), version), 'silent');
    assert.deepEqual(standings([at('2-b', 10), at('2-b', 1), at('2-b', 10, false), at('2-b', 12)], version), {
      ...{ 'in-step': 2, behind: 1, silent: 1 },
    });
  });
});
