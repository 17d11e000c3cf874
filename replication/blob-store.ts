import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytes, type Bytes, type Milliseconds } from '../config/units.js';
import type { Clock } from '../proxy/base/clock.js';
import { blockDigest } from '../proxy/cache/disk/block-digest.js';
import { blockSizeFor } from '../wlis/trust/block-list.js';
import { digestFrom, type Digest } from '../wlis/trust/digest.js';
import { BlobReferences } from './blob-references.js';
import {
  hashed,
  hashedAtOnce,
  once,
  pieces,
  piecesOf,
  SourceFailure,
  wholeFile,
  writeFully,
  type BlobSource,
  type Descriptor,
  type StoredBlob,
} from './blob-content.js';
import { blobStoreError, BlobStoreError, damaged } from './blob-store-error.js';
import { LargeBlobs, readFully, syncDirectory, type Draft } from './large-blobs.js';
import { SmallBlobs } from './small-blobs.js';

export interface BlobStoreOptions {
  /** Made if it is not there. */
  readonly directory: string;
  /** Of all blobs together. */
  readonly limit: Bytes;
  /** How long a blob is kept that nobody refers to any more. */
  readonly keep: Milliseconds;
  readonly clock: Clock;
  /** Something of what was stored has been found to be damaged, and is gone. */
  readonly onDamaged: (error: unknown) => void;
}

/** Longer ones are files of their own. */
const mostSmall = 32 * 1024;
const version = 'willis blobs 1\n';

/**
 * Bytes by their SHA-256: what a primary publishes, and what replicas hold of it. The same bytes are there once. Of a content
 * of several blocks the block list is a blob too.
 *
 * What was put is durable after `sync`; what was not, or that a crash interrupted, is either there whole or not at all. A blob
 * is deleted by `collect` when nobody has referred to it (`retain`, `release`) for some time. References are in memory: whoever
 * opens the store retains what is needed, before that time has passed.
 */
export class BlobStore {
  readonly #options: BlobStoreOptions;
  readonly #small: SmallBlobs;
  readonly #large: LargeBlobs;
  readonly #references = new BlobReferences();
  readonly #deleting = new Map<Digest, Promise<void>>();
  /** Of blobs that are being written. */
  #reserved = 0;

  private constructor(options: BlobStoreOptions, small: SmallBlobs, large: LargeBlobs) {
    this.#options = options;
    this.#small = small;
    this.#large = large;
  }

  /** @throws BlobStoreError in-use, newer, unusable */
  static async open(options: BlobStoreOptions): Promise<BlobStore> {
    const { directory, clock } = options;
    try {
      await prepare(directory);
      // first, since it is what no second process can open
      const small = await SmallBlobs.open(join(directory, 'small'), options.onDamaged);
      const store = new BlobStore(options, small, await LargeBlobs.open(directory));
      for (const blobs of [store.#small, store.#large]) {
        for await (const [digest, length] of blobs.entries())
          store.#references.touch(digest, length, clock.monotonic());
      }
      return store;
    } catch (error) {
      throw blobStoreError(error, directory);
    }
  }

  get usage(): { readonly blobs: number; readonly bytes: Bytes; readonly limit: Bytes } {
    return { blobs: this.#references.count, bytes: this.#references.total, limit: this.#options.limit };
  }

  has(digest: Digest): boolean {
    return this.#references.has(digest);
  }

  lengthOf(digest: Digest): Bytes | undefined {
    return this.#references.lengthOf(digest);
  }

  /** Gives whether it is there; if not, it is kept when it comes. */
  retain(digest: Digest): boolean {
    return this.#references.retain(digest);
  }

  release(digest: Digest): void {
    this.#references.release(digest, this.#options.clock.monotonic());
  }

  /**
   * Stores a content of exactly that length. @throws BlobStoreError changed if it has another one, full, unusable; what its
   * source throws is passed on
   */
  put(content: AsyncIterable<Buffer>, length: Bytes): Promise<StoredBlob> {
    return this.#reserving(length, () =>
      length <= mostSmall ? this.#putShort(content, length) : this.#putLong(content, length),
    );
  }

  /** The same for an open file, which is cloned where the file system can do that, and may change meanwhile. */
  putFile(file: Descriptor, length: Bytes, device: number): Promise<StoredBlob> {
    return this.#reserving(length, async () => {
      if (length <= mostSmall) return this.#addShort(await wholeFile(file, length), length);
      const clone = await this.#large.clone(file, device);
      if (clone === null) return this.#putLong(pieces(file, length), length);
      return this.#keeping(clone, () => hashed(pieces(clone.handle.fd, length), length));
    });
  }

  /** Makes durable whatever was put before. @throws BlobStoreError full, unusable */
  async sync(): Promise<void> {
    try {
      await Promise.all([this.#small.sync(), this.#large.sync()]);
    } catch (error) {
      throw blobStoreError(error, this.#options.directory);
    }
  }

  /**
   * The bytes from `from` to before `to`, every block checked before any of it is given.
   * @param blocks digest of its block list, which a content of one block does not need
   * @throws BlobStoreError missing, damaged, unusable
   */
  async *read(digest: Digest, from: Bytes, to: Bytes, blocks: Digest): AsyncGenerator<Buffer> {
    const length = this.#lengthOf(digest);
    const blockSize = blockSizeFor(length);
    const list = length <= blockSize ? null : await this.readWhole(blocks);
    const source = await this.#source(digest, length);
    try {
      for (let block = Math.floor(from / blockSize); block * blockSize < Math.min(to, length); block++) {
        const start = block * blockSize;
        const content = await source.read(bytes(start), bytes(Math.min(blockSize, length - start)));
        const expected = list === null ? digest : digestAt(list, block);
        if (digestFrom(await blockDigest(content)) !== expected) throw damaged(`block ${block} of blob ${digest}`);
        yield content.subarray(Math.max(0, from - start), to - start);
      }
    } finally {
      await source.close();
    }
  }

  /** All of a blob that is short, a block list for example. @throws BlobStoreError missing, damaged, unusable */
  async readWhole(digest: Digest): Promise<Buffer> {
    const length = this.#lengthOf(digest);
    const source = await this.#source(digest, length);
    try {
      const content = await source.read(bytes(0), length);
      if (digestFrom(await blockDigest(content)) !== digest) throw damaged(`blob ${digest}`);
      return content;
    } finally {
      await source.close();
    }
  }

  /** Deletes what nobody has referred to for long enough. Gives how many blobs that were. */
  async collect(): Promise<number> {
    const { clock, keep } = this.#options;
    for (let count = 0; ; count++) {
      const digest = this.#references.longestIdle(clock.monotonic(), keep);
      if (digest === null) return count;
      await this.#delete(digest);
    }
  }

  /** Reads every byte there is. What is damaged is deleted, and given. */
  async verify(): Promise<readonly Digest[]> {
    const wrong: Digest[] = [];
    for (const digest of [...this.#references.digests()]) {
      if (await this.#isRight(digest)) continue;
      wrong.push(digest);
      this.#options.onDamaged(damaged(`blob ${digest}`));
      if (this.has(digest)) await this.#delete(digest);
    }
    return wrong;
  }

  async close(): Promise<void> {
    await Promise.all(this.#deleting.values());
    await this.#large.close();
    await this.#small.close();
  }

  async #reserving(length: Bytes, work: () => Promise<StoredBlob>): Promise<StoredBlob> {
    const { limit, directory } = this.#options;
    if (this.#references.total + this.#reserved + length > limit) {
      throw new BlobStoreError('full', `${length} bytes more do not fit into ${directory}, whose limit is ${limit}`);
    }
    this.#reserved += length;
    try {
      return await work();
    } catch (error) {
      throw error instanceof SourceFailure ? error.cause : blobStoreError(error, directory);
    } finally {
      this.#reserved -= length;
    }
  }

  async #putShort(content: AsyncIterable<Buffer>, length: Bytes): Promise<StoredBlob> {
    const chunks: Buffer[] = [];
    await hashed(content, length, (chunk) => void chunks.push(chunk));
    return this.#addShort(Buffer.concat(chunks), length);
  }

  async #addShort(content: Buffer, length: Bytes): Promise<StoredBlob> {
    const blob = hashedAtOnce(content, length);
    if (!(await this.#touched(blob.digest, length))) await this.#small.put(blob.digest, content);
    return blob;
  }

  async #putLong(content: AsyncIterable<Buffer>, length: Bytes): Promise<StoredBlob> {
    const draft = await this.#large.draft();
    return this.#keeping(draft, () => hashed(content, length, (chunk) => writeFully(draft.handle, chunk)));
  }

  async #keeping(draft: Draft, work: () => Promise<StoredBlob>): Promise<StoredBlob> {
    let isKept = false;
    try {
      const blob = await work();
      if (blob.blockList.length > 32) await this.#addList(blob);
      if (await this.#touched(blob.digest, blob.length)) return blob;
      isKept = true;
      await this.#large.keep(blob.digest, draft);
      return blob;
    } finally {
      if (!isKept) await this.#large.discard(draft);
    }
  }

  async #addList({ blockList }: StoredBlob): Promise<void> {
    if (blockList.length <= mostSmall) await this.#addShort(blockList, bytes(blockList.length));
    else await this.#putLong(once(blockList), bytes(blockList.length));
  }

  /** Whether it is there already. If not it counts as there from now on. */
  async #touched(digest: Digest, length: Bytes): Promise<boolean> {
    const deleting = this.#deleting.get(digest);
    if (deleting !== undefined) await deleting;
    const isThere = this.#references.has(digest);
    this.#references.touch(digest, length, this.#options.clock.monotonic());
    return isThere;
  }

  #lengthOf(digest: Digest): Bytes {
    const length = this.#references.lengthOf(digest);
    if (length === undefined) throw new BlobStoreError('missing', `there is no blob ${digest}`);
    return length;
  }

  async #source(digest: Digest, length: Bytes): Promise<BlobSource> {
    if (length <= mostSmall) {
      const content = await this.#small.get(digest, length);
      if (content === undefined) throw new BlobStoreError('missing', `blob ${digest} has gone`);
      return {
        read: (from, size) => Promise.resolve(content.subarray(from, from + size)),
        close: () => Promise.resolve(),
      };
    }
    try {
      const handle = await this.#large.openForReading(digest);
      return {
        read: (from, size) => readFully(handle, from, size, `blob ${digest}`),
        close: () => handle.close(),
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        throw new BlobStoreError('missing', `blob ${digest} has gone`, { cause: error });
      }
      throw blobStoreError(error, this.#options.directory);
    }
  }

  async #isRight(digest: Digest): Promise<boolean> {
    const length = this.lengthOf(digest);
    if (length === undefined) return true;
    try {
      const source = await this.#source(digest, length);
      try {
        return (await hashed(piecesOf(source, length), length)).digest === digest;
      } finally {
        await source.close();
      }
    } catch (failure) {
      const error = failure instanceof SourceFailure ? failure.cause : failure;
      if (error instanceof BlobStoreError && ['missing', 'damaged', 'changed'].includes(error.fault)) return false;
      throw blobStoreError(error, this.#options.directory);
    }
  }

  async #delete(digest: Digest): Promise<void> {
    const length = this.#lengthOf(digest);
    this.#references.forget(digest);
    const deleted = length <= mostSmall ? this.#small.delete(digest, length) : this.#large.delete(digest);
    const settled = deleted.catch(() => undefined).finally(() => this.#deleting.delete(digest));
    this.#deleting.set(digest, settled);
    try {
      await deleted;
    } catch (error) {
      // still there: it is tried again some time later
      this.#references.touch(digest, length, this.#options.clock.monotonic());
      throw blobStoreError(error, this.#options.directory);
    }
  }
}

function digestAt(list: Buffer, block: number): Digest {
  if ((block + 1) * 32 > list.length) throw damaged('a block list');
  return digestFrom(list, block * 32);
}

async function prepare(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'format');
  const written = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });
  if (written === null) {
    await writeFile(path, version, { mode: 0o600 });
    await syncDirectory(directory);
  } else if (written !== version) {
    throw new BlobStoreError(
      'newer',
      `${path} says ${JSON.stringify(written.slice(0, 40))}, which this Willis does not know`,
    );
  }
}
