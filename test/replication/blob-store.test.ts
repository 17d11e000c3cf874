import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytes, milliseconds } from '../../config/units.js';
import { BlobStoreError, type BlobFault } from '../../replication/blob-store-error.js';
import { BlobStore, type BlobStoreOptions } from '../../replication/blob-store.js';
import type { StoredBlob } from '../../replication/blob-content.js';
import { blockSizeFor } from '../../wlis/trust/block-list.js';
import { parseDigest, type Digest } from '../../wlis/trust/digest.js';
import { FakeClock } from '../support/fake-clock.js';
import { TempDir } from '../support/temp-dir.js';

const sha256 = (data: Buffer): Digest =>
  parseDigest(createHash('sha256').update(data).digest('hex'), 'the digest of a test');

async function* inPieces(content: Buffer, size = 10_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += size) {
    await Promise.resolve();
    yield content.subarray(at, at + size);
  }
}

const faultOf = async (attempt: Promise<unknown>): Promise<BlobFault> => {
  try {
    await attempt;
  } catch (error) {
    assert.ok(error instanceof BlobStoreError, String(error));
    return error.fault;
  }
  return assert.fail('it should have failed');
};

describe('a blob store', () => {
  let temporary: TempDir;
  let clock: FakeClock;
  let options: BlobStoreOptions;
  let damages: unknown[];
  let store: BlobStore;

  beforeEach(async () => {
    temporary = await TempDir.create();
    clock = new FakeClock();
    damages = [];
    options = {
      directory: join(temporary.path, 'blobs'),
      limit: bytes(8 * 1024 * 1024),
      keep: milliseconds(600_000),
      clock,
      onDamaged: (error) => damages.push(error),
    };
    store = await BlobStore.open(options);
  });

  afterEach(async () => {
    await store.close();
    await temporary.remove();
  });

  const put = (content: Buffer): Promise<StoredBlob> => store.put(inPieces(content), bytes(content.length));

  async function read({ digest, blocks, length }: StoredBlob, from = 0, to: number = length): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of store.read(digest, bytes(from), bytes(to), blocks)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async function reopen(): Promise<void> {
    await store.close();
    store = await BlobStore.open(options);
  }

  const samples = [0, 1, 5000, 32_768, 32_769, 65_536, 65_537, 1_000_000].map((size) => randomBytes(size));

  it('gives the bytes by their SHA-256, whole and in ranges, before and after it is made durable and opened again', async () => {
    const blobs: StoredBlob[] = [];
    for (const content of samples) blobs.push(await put(content));
    const check = async (): Promise<void> => {
      for (const [index, blob] of blobs.entries()) {
        const content = samples[index] as Buffer;
        assert.equal(blob.digest, sha256(content));
        assert.deepEqual(await read(blob), content);
        for (const [from, to] of [
          [0, 1],
          [65_530, 65_540],
          [content.length - 1, content.length],
          [70_000, 900_001],
        ] as const) {
          assert.deepEqual(await read(blob, Math.max(0, from), to), content.subarray(Math.max(0, from), to));
        }
      }
    };
    await check();
    await store.sync();
    await check();
    await reopen();
    await check();
    assert.equal(store.lengthOf(blobs[2]?.digest as Digest), 5000);
  });

  it('says of a content the block list of the protocol, which is a blob of its own where there are several blocks', async () => {
    const content = samples.at(-1) as Buffer;
    const blob = await put(content);
    const size = blockSizeFor(bytes(content.length));
    const list = Buffer.concat(
      Array.from({ length: Math.ceil(content.length / size) }, (_, i) =>
        createHash('sha256')
          .update(content.subarray(i * size, (i + 1) * size))
          .digest(),
      ),
    );
    assert.deepEqual(blob.blockList, list);
    assert.equal(blob.blocks, sha256(list));
    assert.deepEqual(await store.readWhole(blob.blocks), list);
    const short = await put(Buffer.from('short'));
    assert.equal(short.blocks, sha256(Buffer.from(short.digest, 'hex')));
    assert.equal((await put(Buffer.alloc(0))).blocks, sha256(Buffer.alloc(0)));
  });

  it('tells text in UTF-8 from what is none, wherever a character is cut', async () => {
    const text = Buffer.from('añ€😀'.repeat(1000));
    for (const size of [1, 2, 3, 5]) {
      assert.equal((await store.put(inPieces(text, size), bytes(text.length))).isText, true);
    }
    for (const wrong of [Buffer.from([0x61, 0xe9]), Buffer.from('a\0b'), Buffer.from('\x1b$B'), text.subarray(0, -1)]) {
      assert.equal((await store.put(inPieces(wrong, 1), bytes(wrong.length))).isText, false);
    }
  });

  it('stores equal bytes once, however often and at how many times they are put', async () => {
    const content = samples.at(-1) as Buffer;
    await Promise.all([put(content), put(content), put(content)]);
    const { blobs } = store.usage;
    await put(content);
    assert.equal(store.usage.blobs, blobs);
    assert.equal(blobs, 2);
  });

  it('takes an open file as it takes a stream', async () => {
    for (const content of samples) {
      const path = await temporary.write('file', content);
      const file = await open(path);
      const blob = await store.putFile(file.fd, bytes(content.length), 1);
      await file.close();
      assert.deepEqual([blob.digest, await read(blob)], [sha256(content), content]);
    }
  });

  it('refuses a content that is not as long as was said, and keeps nothing of it', async () => {
    const content = samples.at(-1) as Buffer;
    for (const length of [content.length - 1, content.length + 1, 10]) {
      assert.equal(await faultOf(store.put(inPieces(content), bytes(length))), 'changed');
    }
    const path = await temporary.write('file', content);
    const file = await open(path);
    assert.equal(await faultOf(store.putFile(file.fd, bytes(content.length - 1), 1)), 'changed');
    await file.close();
    assert.deepEqual(store.usage.blobs, 0);
    assert.deepEqual(await readdir(join(options.directory, 'tmp')), []);
  });

  it('passes on what the source of a content throws, and keeps nothing of it', async () => {
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.alloc(50_000);
      await Promise.reject(new TypeError('of the source'));
    };
    await assert.rejects(store.put(broken(), bytes(100_000)), new TypeError('of the source'));
    assert.deepEqual(await readdir(join(options.directory, 'tmp')), []);
  });

  it('refuses what goes beyond its limit, and says so', async () => {
    const large = randomBytes(5 * 1024 * 1024);
    await put(large);
    await assert.rejects(put(randomBytes(5 * 1024 * 1024)), /5242880 bytes more do not fit.*8388608/);
    assert.equal(store.usage.bytes > 0 && store.usage.bytes < options.limit, true);
  });

  it('can be given another limit, which deletes nothing', async () => {
    const large = randomBytes(5 * 1024 * 1024);
    const { digest } = await put(large);
    store.limit = bytes(1024 * 1024);
    assert.equal(store.has(digest), true);
    await assert.rejects(put(randomBytes(10)), /10 bytes more do not fit.*1048576/);
    store.limit = bytes(12 * 1024 * 1024);
    await put(randomBytes(5 * 1024 * 1024));
    assert.deepEqual([store.usage.blobs, store.usage.limit], [4, 12 * 1024 * 1024]);
  });

  it('keeps what is referred to, and what was until ten minutes ago', async () => {
    const [kept, released, never] = [
      await put(randomBytes(10)),
      await put(randomBytes(40_000)),
      await put(randomBytes(20)),
    ];
    assert.equal(store.retain(kept.digest) && store.retain(released.digest) && store.retain(released.digest), true);
    clock.advance(599_999);
    assert.equal(await store.collect(), 0);
    store.release(released.digest);
    clock.advance(1);
    assert.equal(await store.collect(), 1);
    assert.equal(store.has(never.digest), false);
    store.release(released.digest);
    clock.advance(599_999);
    assert.equal(await store.collect(), 0);
    assert.deepEqual((await read(released)).length, 40_000);
    clock.advance(1);
    assert.equal(await store.collect(), 1);
    await reopen();
    assert.deepEqual([store.has(kept.digest), store.has(released.digest)], [true, false]);
    assert.equal(store.retain(released.digest), false);
  });

  it('counts the ten minutes anew for what is put again, and from the opening', async () => {
    const content = randomBytes(50_000);
    const { digest } = await put(content);
    clock.advance(500_000);
    await put(content);
    clock.advance(500_000);
    assert.equal(await store.collect(), 0);
    await store.sync();
    await reopen();
    clock.advance(500_000);
    assert.equal(await store.collect(), 0);
    assert.equal(store.has(digest), true);
  });

  it('has, after a crash, blobs that are whole and no others', async () => {
    const blob = await put(samples.at(-1) as Buffer);
    await store.sync();
    await writeFile(join(options.directory, 'tmp', 'left'), 'half of it');
    await reopen();
    assert.deepEqual(await readdir(join(options.directory, 'tmp')), []);
    assert.deepEqual(await read(blob), samples.at(-1));
  });

  it('gives no byte of a block that is not what was stored', async () => {
    const content = samples.at(-1) as Buffer;
    const blob = await put(content);
    await store.sync();
    const path = join(options.directory, 'large', blob.digest.slice(0, 2), blob.digest.slice(2));
    const file = await open(path, 'r+');
    await file.write('!', 70_000);
    await file.close();
    assert.deepEqual(await read(blob, 0, 65_536), content.subarray(0, 65_536));
    assert.equal(await faultOf(read(blob, 65_536, 65_537)), 'damaged');
    assert.equal(await faultOf(read(blob)), 'damaged');
  });

  it('finds by verification what is damaged or gone, deletes it, and takes it again', async () => {
    const [one, two, three] = [randomBytes(40_000), randomBytes(41_000), randomBytes(42_000)];
    const blobs = [await put(one), await put(two), await put(three), await put(randomBytes(10))];
    await store.sync();
    const paths = blobs.map(({ digest }) => join(options.directory, 'large', digest.slice(0, 2), digest.slice(2)));
    await truncate(paths[0] as string, 39_999);
    await rm(paths[1] as string);
    const wrong = await store.verify();
    assert.deepEqual(new Set(wrong), new Set([blobs[0]?.digest, blobs[1]?.digest]));
    assert.equal(damages.length, 2);
    assert.equal(await faultOf(read(blobs[0] as StoredBlob)), 'missing');
    await put(one);
    assert.deepEqual(await read(blobs[0] as StoredBlob), one);
    assert.deepEqual(await read(blobs[2] as StoredBlob), three);
    assert.deepEqual(await store.verify(), []);
  });

  it('is open once at a time, and says which directory is in use', async () => {
    await assert.rejects(BlobStore.open(options), (error: unknown) => {
      assert.ok(error instanceof BlobStoreError, String(error));
      return error.fault === 'in-use' && error.message.includes(options.directory);
    });
  });

  it('does not touch what a later version has written', async () => {
    const directory = join(temporary.path, 'later');
    await mkdir(directory);
    await writeFile(join(directory, 'format'), 'willis blobs 2\n');
    assert.equal(await faultOf(BlobStore.open({ ...options, directory })), 'newer');
  });

  it('says of a blob that is not there that it is missing', async () => {
    const absent: StoredBlob = {
      ...(await put(Buffer.from('x'))),
      digest: sha256(Buffer.from('y')),
      length: bytes(1),
    };
    assert.equal(await faultOf(read(absent)), 'missing');
    assert.equal(await faultOf(store.readWhole(absent.digest)), 'missing');
  });
});
