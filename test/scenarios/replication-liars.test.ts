import assert from 'node:assert/strict';
import { Seeded } from '../faults/seeded.js';
import { gate } from '../support/gate.js';
import { liesAboutChanges } from '../support/lies-about-changes.js';
import { liesAboutContents } from '../support/lies-about-contents.js';
import type { KnownLie } from '../support/lies.js';
import { LiedTo } from '../support/lied-to.js';
import { runCount } from '../support/run-count.js';
import { until } from '../support/waiting.js';

const smallFiles = (of: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`small${i}.txt`, `small ${of} ${i}`]));

/** Five blocks, none of which is like another one. */
function bigFile(of: number): Buffer {
  const content = Buffer.alloc(300_000);
  for (let i = 0; i < content.length; i += 4) content.writeUInt32LE((Math.imul(i, 2_654_435_761) + of) >>> 0, i);
  return content;
}

describe('a replica whose parent lies', () => {
  let all: LiedTo;
  let edits = 0;

  before(async () => {
    all = await LiedTo.start({ files: { ...smallFiles(0), 'big.bin': bigFile(0), 'index.html': '<p>0</p>' } });
    await all.inStep();
  });
  after(() => all.stop());

  /** All is another one, in one list of changes. */
  const edit = async (lie: KnownLie): Promise<void> => {
    const published = gate();
    all.liar.waitFor(published);
    all.liar.lie = lie;
    const of = ++edits;
    await all.save({ ...smallFiles(of), 'big.bin': bigFile(of) });
    await all.published();
    published.open();
  };

  const counted = async (reasons: RegExp): Promise<number> => {
    const { refused } = (await all.reportOf(all.replica)).counters;
    return Object.entries(refused).reduce((sum, [reason, count]) => sum + (reasons.test(reason) ? count : 0), 0);
  };

  const becomesHonest = async (): Promise<void> => {
    all.liar.lie = null;
    await all.save({ 'index.html': `<p>${edits}</p>` });
    await all.inStep();
    const { state, reason } = await all.reportOf(all.replica);
    assert.deepEqual([state, reason], ['in-step', null]);
  };

  const refuses = (lie: KnownLie, reasons: RegExp): void => {
    it(`serves what it held, says what it refused and from whom, and goes on when it hears the truth: ${lie.name}`, async () => {
      const [before, logged] = [await counted(reasons), all.refusals().length];
      await edit(lie);
      await until(async () => (await counted(reasons)) > before);
      await all.assertGenuine();
      const [event] = all
        .refusals()
        .slice(logged)
        .filter(({ reason }) => reasons.test(String(reason)));
      assert.deepEqual([event?.['url'], event?.['namespace']], [all.liar.url, all.namespace]);
      assert.match(String(event?.['detail']), /\w/);
      await becomesHonest();
    });
  };

  for (const lie of [...liesAboutChanges, ...liesAboutContents]) {
    if (lie.outcome instanceof RegExp) {
      refuses(lie, lie.outcome);
      continue;
    }
    it(`serves what it held, and goes on when it hears the truth: ${lie.name}`, async () => {
      await edit(lie);
      await until(() => all.liar.told > 0);
      await all.assertGenuine();
      if (lie.outcome === 'nothing') await all.inStep();
      await becomesHonest();
    });
  }
});

describe('whatever a parent says', () => {
  it('a replica serves nothing that the primary never published, and gets in step afterwards', async function () {
    this.timeout(120_000);
    for (let run = 0; run < runCount(4); run++) {
      const random = new Seeded(run + 1);
      const all = await LiedTo.start({
        files: { ...smallFiles(0), 'big.bin': bigFile(0) },
        seed: run + 1,
      });
      try {
        await all.inStep();
        for (let step = 1; step <= 12; step++) await randomStep(all, random, step);
        all.liar.lie = null;
        await all.save({ 'last.txt': 'the last' });
        await all.inStep();
      } finally {
        await all.stop();
      }
    }
  });
});

async function randomStep(all: LiedTo, random: Seeded, step: number): Promise<void> {
  const lies = [...liesAboutChanges, ...liesAboutContents];
  all.liar.lie = random.chance(0.2) ? null : random.pick(lies);
  const some = Object.entries({ ...smallFiles(step), 'big.bin': bigFile(step) }).filter(() => random.chance(0.6));
  await all.save(Object.fromEntries(some));
  for (let look = random.below(4); look > 0; look--) await all.assertGenuine();
  const [gone] = some[random.below(some.length * 3)] ?? [];
  if (gone !== undefined) await all.remove(gone);
  await all.assertGenuine();
}
