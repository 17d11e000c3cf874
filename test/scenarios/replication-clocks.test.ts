import assert from 'node:assert/strict';
import { ReplicatedSite } from '../support/replicated-site.js';
import { TempDir } from '../support/temp-dir.js';
import { until } from '../support/waiting.js';

const hour = 3_600_000;

describe('Decision 23: clocks that are wrong are said to be, and are not fatal', () => {
  let site: ReplicatedSite;
  let secrets: TempDir;

  beforeEach(async () => {
    secrets = await TempDir.create();
  });

  afterEach(async () => {
    await site.close();
    await secrets.remove();
  });

  for (const [words, offset] of [
    ['ahead of', hour],
    ['behind', -hour],
    // by more than a head may be ahead of the clock of who reads it
    ['behind', -72 * hour],
  ] as const) {
    it(`a replica whose clock is ${Math.abs(offset / hour)} hours ${words} that of the primary joins, follows, and serves as others do`, async () => {
      const tokenFile = await secrets.write('token', 'a token of at least sixteen characters');
      site = await ReplicatedSite.make({ keys: { replicas: { accept: 'listed', tokenFile } } });
      await site.put('page.txt', 'first');
      await site.primary.start();
      await site.published();
      const replica = await site.addReplica({ clockOffset: offset, keys: { tokenFile } });
      await replica.start();
      await site.inStep();
      const seconds = Math.floor(Math.abs(offset) / 100_000);
      const { msg, level } = await replica.logged('clock-differs');
      assert.match(
        String(msg),
        new RegExp(`^the clock of this node is ${seconds}\\d\\d s ${words} that of the primary`),
      );
      assert.equal(level, 40, 'a warning');
      await until(async () => (await site.primary.status(site.namespace)).replicas?.[0]?.isActive === true);
      for (const text of ['second', 'third']) {
        await site.put('page.txt', text);
        await site.inStep();
        assert.equal(await site.text(replica, 'page.txt'), text);
      }
      const answer = await site.get(replica, 'page.txt');
      assert.match(answer.get('cache-status') ?? '', /; hit; detail=authoritative$/);
      assert.ok(Number(answer.get('age')) < 60, `Age: ${answer.get('age')}`);
      const [told] = (await site.primary.status(site.namespace)).replicas ?? [];
      assert.equal(told?.access, 'listed');
    });
  }

  it('what replicas hold is also believed when they are started again without the primary', async () => {
    site = await ReplicatedSite.make();
    await site.put('page.txt', 'first');
    await site.primary.start();
    await site.published();
    const replica = await site.addReplica({ clockOffset: hour });
    await replica.start();
    await site.inStep();
    await site.primary.stop();
    await replica.stop();
    await replica.start();
    await until(async () => (await replica.report()).state === 'cut-off');
    assert.equal(await site.text(replica, 'page.txt'), 'first');
    await site.primary.start();
    await site.put('page.txt', 'second');
    await until(async () => (await site.text(replica, 'page.txt')) === 'second');
  });
});
