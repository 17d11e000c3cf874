import assert from 'node:assert/strict';
import { bytes } from '../../../../config/units.js';
import { MemoryStore } from '../../../../proxy/cache/memory-store.js';
import { purgeUri } from '../../../../proxy/cache/purge-selector.js';
import { StoreLayers } from '../../../../proxy/cache/store-layers.js';
import type { ViewRecipe } from '../../../../wlis/html/view-recipe.js';
import { DiskExample } from '../../../cache/disk/disk-example.js';
import { pageUri, recipeWith, ViewFixture } from './view-fixture.js';

describe('views on a disk', () => {
  let disk: DiskExample;
  let made: number;

  beforeEach(async () => {
    disk = await DiskExample.create();
    made = 0;
  });

  afterEach(() => disk.remove());

  /** An equal recipe, as another process has it. */
  const recipe = (): ViewRecipe => ({
    ...recipeWith('one'),
    urls: {
      key: 'counting',
      rewritten: () => {
        made++;
        return null;
      },
    },
  });

  async function started(clock?: ViewFixture['clock']): Promise<ViewFixture> {
    const store = new StoreLayers(
      new MemoryStore({ limit: bytes(1_000_000), maxDocument: bytes(100_000), variants: 4 }),
    );
    store.replaceDisk(await disk.open());
    const site = new ViewFixture(clock === undefined ? { store } : { store, clock });
    const own = recipe();
    site.recipe = () => own;
    site.origin = () => ({ fields: { 'Cache-Control': 'max-age=600' } });
    return site;
  }

  it('are found again after a restart', async () => {
    const first = await started();
    const { content, fields } = await first.ask();
    assert.equal(made, 1);
    await first.store.close();
    const second = await started(first.clock);
    for (let i = 0; i < 4; i++) {
      const again = await second.ask();
      assert.deepEqual([again.content, again.fields['etag']], [content, fields['etag']]);
    }
    assert.equal(made, 1);
    assert.equal(second.asked.length, 0);
  });

  it('are forgotten with their page, also those that a process before has made', async () => {
    const first = await started();
    await first.ask();
    await first.store.close();
    const second = await started(first.clock);
    await second.cache.purge(purgeUri(pageUri), 'hard');
    assert.deepEqual(await second.stored(), []);
    await second.ask();
    assert.deepEqual([made, second.asked.length], [2, 1]);
  });

  it('of one page are few there too', async () => {
    const site = await started();
    for (let i = 0; i < 12; i++) {
      site.recipe = () => recipeWith(`${i}`);
      await site.ask();
    }
    const stored = await site.stored();
    assert.ok(stored.length >= 1 && stored.length <= 4, `${stored.length}`);
  });
});
