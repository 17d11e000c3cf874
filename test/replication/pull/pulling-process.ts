import { writeSync } from 'node:fs';
import { bytes, milliseconds } from '../../../config/units.js';
import { systemClock } from '../../../proxy/base/clock.js';
import { BlobStore } from '../../../replication/blob-store.js';
import { ContentPulls } from '../../../replication/pull/content-pulls.js';
import { Puller } from '../../../replication/pull/puller.js';
import { bytesOf, FakeHolder, sample, settings } from './fake-holder.js';

/**
 * Pulls a content into a store, to be killed in the midst of it. Arguments: directory, length. Writes a line for all that comes,
 * `+<bytes>`, before it is taken, and `whole` in the end.
 */
const [directory = '', length = '0'] = process.argv.slice(2);

const content = sample(bytesOf('killed', Number(length)));
const holder = new FakeHolder('https://a.example', [content]);
holder.pieceSize = 16_384;
holder.tamper = async (piece) => {
  writeSync(1, `+${piece.length}\n`);
  await new Promise((resolve) => setImmediate(resolve));
  return piece;
};
const onDamaged = (error: unknown): never => {
  throw error;
};
const [limit, keep] = [bytes(1e9), milliseconds(600_000)];
const store = await BlobStore.open({ directory, limit, keep, clock: systemClock, onDamaged });
const puller = new Puller({
  store,
  pulls: new ContentPulls(store, settings()),
  sources: () => [holder],
  onFailed: (_, error) => onDamaged(error),
  onRefused: onDamaged,
  onHave: () => {
    void store
      .verify()
      .then((wrong) => writeSync(1, wrong.length === 0 && store.has(content.digest) ? 'whole\n' : 'wrong\n'))
      .then(() => puller.stop())
      .then(() => store.close());
  },
});
puller.want({ epoch: null, contents: [{ content, relatives: [], seq: null }] });
