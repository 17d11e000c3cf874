import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bytes, milliseconds } from '../../config/units.js';
import { createLogger } from '../../proxy/base/logger.js';
import { BlobStore } from '../../replication/blob-store.js';
import type { Change, Edit } from '../../replication/change-list.js';
import { Publication } from '../../replication/publication.js';
import { SeedIncomplete, seedPublication } from '../../replication/publication-seed.js';
import { documentText } from '../../replication/source/published-document.js';
import { parseNamespace } from '../../wlis/namespace.js';
import { blockSizeFor } from '../../wlis/trust/block-list.js';
import { compareEpochs, parseEpoch } from '../../wlis/trust/epoch.js';
import { digestOfText } from '../../wlis/trust/digest.js';
import { FakeClock } from '../support/fake-clock.js';
import { TempDir } from '../support/temp-dir.js';

const namespace = parseNamespace('http://site.example/');

describe('a publication', () => {
  const clock = new FakeClock();
  const told: (readonly Change<string>[])[] = [];
  let temporary: TempDir;
  let blobs: BlobStore;
  let publication: Publication;

  const open = (): Promise<Publication> =>
    Publication.open({
      ...{ namespace, path: join(temporary.path, 'journal'), blobs, clock },
      logger: createLogger({ level: 'silent', write: () => undefined }),
      onPublished: (changes) => {
        assert.equal(publication.list.last, changes.at(-1)?.seq, 'told before it is in the list, or after another');
        told.push(changes);
      },
    });

  const openBlobs = (): Promise<BlobStore> =>
    BlobStore.open({
      ...{ directory: join(temporary.path, 'blobs'), limit: bytes(1e8), keep: milliseconds(1000), clock },
      onDamaged: () => undefined,
    });

  async function* once(text: string): AsyncGenerator<Buffer> {
    yield await Promise.resolve(Buffer.from(text));
  }

  const document = async (text: string): Promise<string> => {
    const { digest, blocks, length } = await blobs.put(once(text), bytes(Buffer.byteLength(text)));
    const own = { coding: null, language: null, type: null, etag: null, lastModified: null };
    return documentText({
      ...{ status: 200, fields: [] },
      variants: [{ ...own, length, digest, blocks, blockSize: blockSizeFor(length) }],
    });
  };

  const edit = async (path: string, text: string | null): Promise<Edit<string>> => ({
    path,
    document: text === null ? null : await document(text),
  });

  const documents = (of: { changes(): Iterable<Change<string>> }): [number, string, string | null][] =>
    [...of.changes()].map(({ seq, path, document: text }) => [seq, path, text]);

  beforeEach(async () => {
    temporary = await TempDir.create();
    blobs = await openBlobs();
    publication = await open();
    told.length = 0;
  });

  afterEach(async () => {
    await publication.close();
    await blobs.close();
    await temporary.remove();
  });

  it('tells of changes in the turn in which they come into the list', async () => {
    await Promise.all([
      publication.publish([await edit('a', '1'), await edit('b', '1')], true),
      publication.publish([await edit('a', '2')], false),
    ]);
    assert.deepEqual(
      told.map((changes) => changes.map(({ seq, path, together }) => [seq, path, together])),
      [
        [
          [1, 'a', 2],
          [2, 'b', 2],
        ],
        [[3, 'a', 3]],
      ],
    );
  });

  it('begins a new epoch with the same documents in the same order, without removals, later than what is known', async () => {
    await publication.publish([await edit('a', '1'), await edit('b', '1'), await edit('c', '1')], true);
    await publication.publish([await edit('b', null), await edit('a', '2')], false);
    const far = parseEpoch('9000000000000-0123456789abcdef');
    const [epoch, [change]] = await Promise.all([
      publication.beginEpoch(far),
      publication.publish([await edit('d', '1')], false),
    ]);
    assert.ok(compareEpochs(epoch, far) > 0, 'the epoch is not a later one');
    assert.equal(change?.seq, 3);
    const expected = [
      [1, 'c', await document('1')],
      [2, 'a', await document('2')],
      [3, 'd', await document('1')],
    ];
    assert.deepEqual(documents(publication.list), expected);
    await publication.close();
    publication = await open();
    assert.deepEqual([publication.epoch, documents(publication.list)], [epoch, expected]);
    assert.ok(compareEpochs(await publication.beginEpoch(parseEpoch('1-0123456789abcdef')), epoch) > 0, 'not later');
  });

  it('keeps the bytes of its documents through a new epoch, and no longer than they are published', async () => {
    await publication.publish([await edit('a', 'text of a')], false);
    const { epoch } = publication;
    await publication.beginEpoch(epoch);
    clock.advance(2000);
    await blobs.collect();
    assert.ok(blobs.has(digestOfText('text of a')), 'the bytes of a document are gone');
    await publication.publish([await edit('a', null)], false);
    clock.advance(2000);
    await blobs.collect();
    assert.equal(blobs.has(digestOfText('text of a')), false);
  });

  it('publishes nothing when a new epoch could not be begun, until it could', async () => {
    await publication.publish([await edit('a', '1')], false);
    const { epoch } = publication;
    const inTheWay = join(temporary.path, 'journal.new');
    await mkdir(inTheWay);
    await assert.rejects(publication.beginEpoch(epoch));
    await assert.rejects(publication.publish([await edit('b', '1')], false), /numbers of the one before are spent/);
    await rm(inTheWay, { recursive: true });
    await publication.beginEpoch(epoch);
    await publication.publish([await edit('b', '1')], false);
    assert.deepEqual(
      documents(publication.list).map(([seq, path]) => [seq, path]),
      [
        [1, 'a'],
        [2, 'b'],
      ],
    );
  });

  it('forgets removals for good', async () => {
    await publication.publish([await edit('a', '1'), await edit('b', '1')], false);
    await publication.publish([await edit('a', null)], false);
    clock.advance(1000);
    await publication.publish([await edit('b', null)], false);
    assert.equal(await publication.forgetRemovals(clock.now()), 1);
    assert.deepEqual([publication.list.since(2, 9).kind, publication.list.since(3, 9).kind], ['forgotten', 'changes']);
    await publication.close();
    publication = await open();
    assert.deepEqual([publication.list.since(2, 9).kind, publication.list.since(3, 9).kind], ['forgotten', 'changes']);
    assert.equal(publication.list.last, 4);
  });

  it('begins with the documents of a replica, in an epoch later than all that are known', async () => {
    await publication.publish([await edit('a', '1'), await edit('gone', '1')], false);
    await publication.publish([await edit('gone', null), await edit('b', '2')], false);
    await publication.close();
    const path = join(temporary.path, 'elsewhere', 'journal');
    const after = parseEpoch('9000000000000-0123456789abcdef');
    const epoch = await seedPublication({ namespace, path, blobs, clock }, after, publication.list);
    assert.ok(compareEpochs(epoch, after) > 0, 'the epoch is not a later one');
    const again = await seedPublication({ namespace, path, blobs, clock }, publication.epoch, publication.list);
    assert.ok(compareEpochs(again, epoch) > 0, 'not later than that of the journal that was there');
    const seeded = await Publication.open({
      ...{ namespace, path, blobs, clock, onPublished: () => undefined },
      logger: createLogger({ level: 'silent', write: () => undefined }),
    });
    try {
      assert.deepEqual(
        [seeded.epoch, documents(seeded.list)],
        [
          again,
          [
            [1, 'a', await document('1')],
            [2, 'b', await document('2')],
          ],
        ],
      );
    } finally {
      await seeded.close();
      publication = await open();
    }
  });

  it('does not begin with documents whose bytes are not here, and says how many these are', async () => {
    const missing = (await document('x')).replace(digestOfText('x'), digestOfText('y'));
    const changes = [{ path: 'a', seq: 1, together: 1, at: clock.now(), document: missing }];
    const path = join(temporary.path, 'elsewhere', 'journal');
    await assert.rejects(
      seedPublication({ namespace, path, blobs, clock }, publication.epoch, { changes: () => changes }),
      (error) => error instanceof SeedIncomplete && error.missing === 1 && error.path === 'a',
    );
  });
});
