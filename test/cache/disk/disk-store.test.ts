import { bytes } from '../../../config/units.js';
import { systemClock } from '../../../proxy/base/clock.js';
import type { DiskOptions } from '../../../proxy/cache/disk/disk-options.js';
import { DiskStore } from '../../../proxy/cache/disk/disk-store.js';
import { TempDir } from '../../support/temp-dir.js';
import { describeResponseStore } from '../response-store.contract.js';
import { slowDisk } from './slow-disk.js';

const roomy = { limit: bytes(256 * 1024 * 1024), maxDocument: bytes(16 * 1024 * 1024), variants: 32 };

/** Every store in a directory of its own below one that is removed at the end. */
function createIn(over: Partial<DiskOptions>) {
  let temporary: TempDir;
  let count = 0;
  before(async () => {
    temporary = await TempDir.create();
  });
  after(() => temporary.remove());
  return (bounds: Partial<DiskOptions> = {}): Promise<DiskStore> =>
    DiskStore.open({
      ...roomy,
      directory: `${temporary.path}/${++count}`,
      clock: systemClock,
      onUnwell: (error) => {
        throw error;
      },
      onWell: () => undefined,
      ...over,
      ...bounds,
    });
}

describe('DiskStore', () => {
  describeResponseStore('DiskStore', createIn({}));
  describeResponseStore(
    'DiskStore with every body in a file, on a slow disk',
    createIn({ inline: bytes(0), ...slowDisk() }),
  );
});
