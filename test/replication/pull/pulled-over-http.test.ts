import assert from 'node:assert/strict';
import { bytes, milliseconds } from '../../../config/units.js';
import { BlobStore } from '../../../replication/blob-store.js';
import { ContentPulls } from '../../../replication/pull/content-pulls.js';
import { Puller } from '../../../replication/pull/puller.js';
import type { WantedContent } from '../../../replication/pull/wanted-contents.js';
import { parseDocument } from '../../../replication/source/published-document.js';
import type { Digest } from '../../../wlis/trust/digest.js';
import { closeServers } from '../../http/test-server.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TempDir } from '../../support/temp-dir.js';
import { until } from '../../support/waiting.js';
import { answeringNode, callers, closeCallers } from '../calls/call-fixture.js';
import { HeldFixture } from '../held-fixture.js';
import { BLOCK, bytesOf, settings } from './fake-holder.js';

describe('contents that are pulled by the calls of the protocol', () => {
  let temporary: TempDir;
  let store: BlobStore;

  beforeEach(async () => {
    temporary = await TempDir.create();
    const onDamaged = (error: unknown): void => assert.fail(String(error));
    const [limit, keep] = [bytes(1e9), milliseconds(600_000)];
    store = await BlobStore.open({ directory: temporary.path, limit, keep, clock: new FakeClock(), onDamaged });
  });

  afterEach(async () => {
    await closeCallers();
    await closeServers();
    await store.close();
    await temporary.remove();
  });

  it('are all that a namespace has: short ones, several to a document, from bundles, long ones in blocks', async () => {
    const held = await HeldFixture.create();
    const documents = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [
        `page/${i}`,
        [{ content: bytesOf(`page ${i}`, 100 * i) }, { content: bytesOf(`zipped ${i}`, 50 * i + 1), coding: 'gzip' }],
      ]),
    );
    const first = await held.put(documents);
    const second = await held.put({ long: bytesOf('long', 9 * BLOCK + 7), edge: bytesOf('edge', BLOCK) });
    const node = await answeringNode([held]);
    const holder = (await callers()).holder(node.url, held);

    const had = new Set<Digest>();
    const failures: unknown[] = [];
    const puller = new Puller({
      store,
      pulls: new ContentPulls(store, settings()),
      sources: () => [holder],
      onHave: (digest) => had.add(digest),
      onFailed: (_, error) => failures.push(error),
      onRefused: (refusal) => failures.push(refusal),
    });
    const contents = [...first, ...second].flatMap(({ path, seq, document }) =>
      parseDocument(path, document ?? '').variants.map((content): WantedContent => ({ content, relatives: [], seq })),
    );
    puller.want({ epoch: held.epoch, contents });
    await until(() => had.size + failures.length >= new Set(contents.map(({ content }) => content.digest)).size);
    await puller.stop();
    assert.deepEqual(failures, []);
    for (const { content } of contents) {
      const chunks: Buffer[] = [];
      for await (const chunk of store.read(content.digest, bytes(0), content.length, content.blocks))
        chunks.push(chunk);
      assert.deepEqual(Buffer.concat(chunks), held.blobs.contents.get(content.digest));
    }
    assert.deepEqual(node.errors, []);
  });
});
