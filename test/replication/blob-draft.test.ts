import assert from 'node:assert/strict';
import { open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytes, milliseconds } from '../../config/units.js';
import type { BlobDraft } from '../../replication/blob-draft.js';
import { BlobStoreError } from '../../replication/blob-store-error.js';
import { BlobStore, type BlobStoreOptions } from '../../replication/blob-store.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { FakeClock } from '../support/fake-clock.js';
import { TempDir } from '../support/temp-dir.js';
import { BLOCK, bytesOf, sample, type Sample } from './pull/fake-holder.js';

describe('the beginning of a blob', () => {
  const content = sample(bytesOf('content', 5 * BLOCK + 100));
  const fault = (one: BlobStoreError['fault']) => (error: unknown) =>
    error instanceof BlobStoreError && error.fault === one;
  let temporary: TempDir;
  let clock: FakeClock;
  let options: BlobStoreOptions;
  let store: BlobStore;

  beforeEach(async () => {
    temporary = await TempDir.create();
    clock = new FakeClock();
    const onDamaged = (error: unknown): void => assert.fail(String(error));
    const [limit, keep] = [bytes(8 * 1024 * 1024), milliseconds(600_000)];
    options = { directory: temporary.path, limit, keep, clock, onDamaged };
    store = await BlobStore.open(options);
  });

  afterEach(async () => {
    await store.close();
    await temporary.remove();
  });

  const resume = (of: Sample = content): Promise<BlobDraft> => store.resume(of, of.list, new AbortController().signal);
  const block = (number: number, of: Sample = content): Buffer =>
    of.data.subarray(number * BLOCK, (number + 1) * BLOCK);
  const fileOf = (of: Sample = content): string => join(temporary.path, 'partial', of.digest);

  async function add(draft: BlobDraft, from: number, to: number, of: Sample = content): Promise<void> {
    for (let number = from; number < to; number++) await draft.append(block(number, of));
  }

  async function begun(blocks: number, of: Sample = content): Promise<void> {
    const draft = await resume(of);
    await add(draft, 0, blocks, of);
    await draft.close();
  }

  async function reopen(): Promise<void> {
    await store.close();
    store = await BlobStore.open(options);
  }

  async function readAll({ digest, length, blocks }: Sample): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of store.read(digest, bytes(0), length, blocks)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  it('becomes a blob with its block list once it is whole, and is durable like any other', async () => {
    const draft = await resume();
    await add(draft, 0, 6);
    assert.equal(store.has(content.digest), false);
    await draft.complete();
    assert.deepEqual(await readAll(content), content.data);
    await store.sync();
    await reopen();
    assert.deepEqual(await readAll(content), content.data);
    assert.deepEqual(await store.readWhole(content.blocks), content.list);
    assert.deepEqual(await readdir(join(temporary.path, 'partial')), []);
    assert.deepEqual(await store.verify(), []);
  });

  it('goes on behind its last block, in the same process and in the next one', async () => {
    await begun(2);
    let draft = await resume();
    assert.equal(draft.next, 2);
    await add(draft, 2, 3);
    await draft.close();
    await reopen();
    draft = await resume();
    assert.deepEqual([draft.next, draft.position], [3, 3 * BLOCK]);
    await add(draft, 3, 6);
    await draft.complete();
    assert.deepEqual(await readAll(content), content.data);
  });

  it('takes no block but the one that is missing, and that only if it is right', async () => {
    const draft = await resume();
    await draft.append(block(0));
    for (const wrong of [
      block(0),
      block(2),
      block(1).subarray(1),
      Buffer.concat([block(1), block(2)]),
      Buffer.alloc(0),
    ]) {
      await assert.rejects(draft.append(wrong), NotBelieved);
    }
    assert.equal(draft.next, 1);
    await add(draft, 1, 6);
    await assert.rejects(draft.append(Buffer.alloc(0)), NotBelieved);
    await draft.complete();
    assert.deepEqual(await readAll(content), content.data);
  });

  it('gives blocks that are there, and none that the disk has changed', async () => {
    const draft = await resume();
    await add(draft, 0, 3);
    assert.deepEqual(await draft.block(1), block(1));
    const file = await open(fileOf(), 'r+');
    await file.write('!', BLOCK + 5);
    await file.close();
    await assert.rejects(draft.block(1), fault('damaged'));
    assert.deepEqual(await draft.block(2), block(2));
    await draft.close();
  });

  it('is verified again when it is opened: what follows the first wrong block, or is no block, is cut off', async () => {
    await begun(4);
    const file = await open(fileOf(), 'r+');
    await file.write('!', 2 * BLOCK + 5);
    await file.close();
    let draft = await resume();
    assert.equal(draft.next, 2);
    assert.equal((await stat(fileOf())).size, 2 * BLOCK);
    await add(draft, 2, 4);
    await draft.close();
    await truncate(fileOf(), 3 * BLOCK + 7);
    draft = await resume();
    assert.equal(draft.next, 3);
    await add(draft, 3, 6);
    await draft.complete();
    assert.deepEqual(await readAll(content), content.data);
  });

  it('is whole without a further byte if it was when the process ended', async () => {
    const draft = await resume();
    await add(draft, 0, 6);
    await draft.complete();
    await reopen();
    assert.equal(store.has(content.digest), false);
    const again = await resume();
    assert.equal(again.isWhole, true);
    await again.complete();
    assert.deepEqual(await readAll(content), content.data);
  });

  it('is deleted if it is right by its block list and is not the content of that digest', async () => {
    const lie = { ...content, digest: sample(bytesOf('other', 100_000)).digest };
    const draft = await resume(lie);
    await add(draft, 0, 6, lie);
    await assert.rejects(draft.complete(), NotBelieved);
    assert.deepEqual([store.has(lie.digest), store.has(content.digest), store.usage.partial], [false, false, 0]);
    assert.deepEqual(await readdir(join(temporary.path, 'partial')), []);
  });

  it('is refused with a block list that is not its own', async () => {
    const signal = new AbortController().signal;
    await assert.rejects(store.resume(content, content.list.subarray(32), signal), /160 bytes instead of 192/);
    await assert.rejects(store.resume(content, Buffer.alloc(192), signal), /another digest/);
  });

  it('is written by one at a time', async () => {
    const draft = await resume();
    await assert.rejects(resume(), fault('in-use'));
    await draft.close();
    await (await resume()).close();
  });

  it('counts in the limit: all that it will be while it is written, then what it has', async () => {
    const large = sample(bytesOf('large', 5 * 1024 * 1024));
    const draft = await resume(large);
    assert.equal(store.usage.partial, large.length);
    const other = sample(bytesOf('other', 4 * 1024 * 1024));
    await assert.rejects(resume(other), fault('full'));
    await add(draft, 0, 1, large);
    await draft.close();
    assert.equal(store.usage.partial, BLOCK);
    await begun(2, other);
    await reopen();
    assert.equal(store.usage.partial, 3 * BLOCK);
  });

  it('is deleted when nobody has gone on with it for ten minutes, unless somebody refers to it or writes it', async () => {
    const [kept, written] = [sample(bytesOf('kept', 100_000)), sample(bytesOf('written', 100_000))];
    for (const one of [content, kept, written]) await begun(1, one);
    store.retain(kept.digest);
    clock.advance(599_999);
    const draft = await resume(written);
    assert.deepEqual(await readdir(join(temporary.path, 'partial')).then((names) => names.length), 3);
    clock.advance(1);
    await store.collect();
    assert.deepEqual((await readdir(join(temporary.path, 'partial'))).sort(), [kept.digest, written.digest].sort());
    assert.equal(store.usage.partial, BLOCK + written.length);
    await draft.close();
    clock.advance(600_000);
    store.release(kept.digest);
    await store.collect();
    assert.deepEqual(await readdir(join(temporary.path, 'partial')), []);
    assert.equal(store.usage.partial, 0);
  });

  it('of a blob that came in another way meanwhile is given up', async () => {
    const draft = await resume();
    await add(draft, 0, 6);
    const inOne = async function* (): AsyncGenerator<Buffer> {
      yield await Promise.resolve(content.data);
    };
    await store.put(inOne(), content.length);
    await draft.complete();
    assert.deepEqual([await readAll(content), store.usage.partial], [content.data, 0]);
    await store.sync();
    await begunFile(content.digest);
    await reopen();
    assert.deepEqual(await readdir(join(temporary.path, 'partial')), []);
  });

  const begunFile = (name: string): Promise<void> => writeFile(join(temporary.path, 'partial', name), 'begun');

  it('that has nothing yet, or a name that is none, does not stay', async () => {
    await begun(0);
    assert.deepEqual(await readdir(join(temporary.path, 'partial')), []);
    await begunFile('x');
    await writeFile(fileOf(), '');
    await reopen();
    assert.deepEqual(await readdir(join(temporary.path, 'partial')), []);
    assert.equal(store.usage.partial, 0);
  });

  it('is unknown to a directory that was made without such, which opens all the same', async () => {
    await store.close();
    await rm(join(temporary.path, 'partial'), { recursive: true });
    assert.equal(await readFile(join(temporary.path, 'format'), 'utf8'), 'willis blobs 1\n');
    store = await BlobStore.open(options);
    await begun(1);
    assert.equal(store.usage.partial, BLOCK);
  });

  it('is not opened when that is not wanted any more, and keeps what it has', async () => {
    await begun(3);
    await assert.rejects(
      store.resume(content, content.list, AbortSignal.abort(new Error('of the test'))),
      /of the test/,
    );
    const draft = await resume();
    assert.equal(draft.next, 3);
    await draft.close();
  });
});
