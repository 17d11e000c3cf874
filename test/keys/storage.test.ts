import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { answer } from '../support/origin-scripts.js';
import { TempDir } from '../support/temp-dir.js';
import { outcomeOf, startWillis, type Sections, type Willis } from '../support/willis.js';
import { flips } from './flips.js';

const fresh = { 'Cache-Control': 'max-age=600', ETag: '"1"' };

describe('the keys of the store on disk', () => {
  let directory: TempDir;
  let willis: Willis;

  beforeEach(async () => {
    directory = await TempDir.create();
    willis = await startWillis({ config: { node: { data: directory.path } } });
    willis.serve(answer(200, fresh, 'content'));
  });
  afterEach(async () => {
    await willis.stop();
    await directory.remove();
  });

  const outcome = async (path: string): Promise<string> => outcomeOf(await willis.get(path));

  const restart = async (config: Sections): Promise<void> => {
    const { clock, origin } = willis;
    await willis.node.stop();
    willis = await startWillis({ clock, origin, config });
  };

  flips('cache.disk', 'what is stored from then on survives the process; null lets go of the directory', async () => {
    const node = { data: directory.path };
    await willis.get('/before');
    assert.equal(existsSync(join(directory.path, 'store')), false);
    await willis.reload({ cache: { disk: '64MiB' } });
    assert.equal(await outcome('/before'), 'hit');
    for (const path of ['/a', '/b']) await willis.get(path);
    await willis.reload({ cache: { disk: '32MiB' } });
    await restart({ node, cache: { disk: '64MiB' } });
    assert.deepEqual([await outcome('/before'), await outcome('/a')], ['uri-miss', 'hit']);
    await willis.reload({ cache: { disk: null } });
    await willis.get('/in-memory');
    const other = await startWillis({ config: { node, cache: { disk: '64MiB' } } });
    await other.stop();
    await willis.reload({ cache: { disk: '64MiB' } });
    assert.deepEqual([await outcome('/in-memory'), await outcome('/b')], ['hit', 'stale']);
  });

  flips('node.data', 'the directory of what outlives the process', async () => {
    const [one, two] = [join(directory.path, 'one'), join(directory.path, 'two')];
    await willis.reload({ node: { data: one }, cache: { disk: '64MiB' } });
    await willis.get('/a');
    await willis.reload({ node: { data: two } });
    await willis.get('/b');
    await restart({ node: { data: two }, cache: { disk: '64MiB' } });
    assert.deepEqual([await outcome('/a'), await outcome('/b')], ['uri-miss', 'hit']);
  });
});
