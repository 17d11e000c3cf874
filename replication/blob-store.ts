import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { bytes, type Bytes, type Milliseconds } from '../config/units.js';
import type { Clock } from '../proxy/base/clock.js';
import type { Digest } from '../wlis/trust/digest.js';
import { BlobDraft, checkDraftList, type DraftedContent, type DraftEnding } from './blob-draft.js';
import { prepareBlobDirectory } from './blob-format.js';
import { BlobReader, LONGEST_SMALL_BLOB } from './blob-reader.js';
import { BlobReferences } from './blob-references.js';
import {
  hashed,
  hashedAtOnce,
  once,
  pieces,
  SourceFailure,
  wholeFile,
  writeFully,
  type Descriptor,
  type StoredBlob,
} from './blob-content.js';
import { blobStoreError, BlobStoreError, damaged } from './blob-store-error.js';
import { LargeBlobs, type Draft } from './large-blobs.js';
import { PartialBlobs } from './partial-blobs.js';
import { SmallBlobs } from './small-blobs.js';

export interface BlobStoreOptions {
  /** Made if it is not there. */
  readonly directory: string;
  /** Of all blobs and beginnings of blobs together. */
  readonly limit: Bytes;
  /** How long a blob is kept that nobody refers to any more, or the beginning of one that nobody goes on with. */
  readonly keep: Milliseconds;
  readonly clock: Clock;
  /** Something of what was stored has been found to be damaged, and is gone. */
  readonly onDamaged: (error: unknown) => void;
}

/**
 * Bytes by their SHA-256: what a primary publishes, and what replicas hold of it. The same bytes are there once. Of a content
 * of several blocks the block list is a blob too.
 *
 * What was put is durable after `sync`; what was not, or that a crash interrupted, is either there whole or not at all. A blob
 * is deleted by `collect` when nobody has referred to it (`retain`, `release`) for some time. References are in memory: whoever
 * opens the store retains what is needed, before that time has passed.
 *
 * A content that comes from elsewhere may come in parts (`resume`): verified blocks of it stay, whatever happens.
 */
export class BlobStore {
  readonly #options: BlobStoreOptions;
  readonly #small: SmallBlobs;
  readonly #large: LargeBlobs;
  readonly #partial: PartialBlobs;
  readonly #reader: BlobReader;
  readonly #references = new BlobReferences();
  readonly #deleting = new Map<Digest, Promise<void>>();
  /** Of blobs that are being written. */
  #reserved = 0;
  #limit: Bytes;

  private constructor(options: BlobStoreOptions, small: SmallBlobs, large: LargeBlobs, partial: PartialBlobs) {
    this.#options = options;
    this.#limit = options.limit;
    this.#small = small;
    this.#large = large;
    this.#partial = partial;
    const lengthOf = (digest: Digest): Bytes | undefined => this.lengthOf(digest);
    this.#reader = new BlobReader({ directory: options.directory, small, large, lengthOf });
  }

  /** @throws BlobStoreError in-use, newer, unusable */
  static async open(options: BlobStoreOptions): Promise<BlobStore> {
    const { directory, clock } = options;
    try {
      await prepareBlobDirectory(directory);
      // first, since it is what no second process can open
      const small = await SmallBlobs.open(join(directory, 'small'), options.onDamaged);
      const large = await LargeBlobs.open(directory);
      const store = new BlobStore(options, small, large, await PartialBlobs.open(directory, clock.monotonic()));
      for (const blobs of [small, large]) {
        for await (const [digest, length] of blobs.entries())
          store.#references.touch(digest, length, clock.monotonic());
      }
      for (const digest of [...store.#partial.digests()]) if (store.has(digest)) await store.#partial.delete(digest);
      return store;
    } catch (error) {
      throw blobStoreError(error, directory);
    }
  }

  /** `partial`: of the beginnings of blobs, while one is being written of all that it will be. */
  get usage(): { readonly blobs: number; readonly bytes: Bytes; readonly partial: Bytes; readonly limit: Bytes } {
    const { count, total } = this.#references;
    return { blobs: count, bytes: total, partial: this.#partial.total, limit: this.#limit };
  }

  /** For what is stored from now on: what there is stays, be it too much. */
  set limit(limit: Bytes) {
    this.#limit = limit;
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
      length <= LONGEST_SMALL_BLOB ? this.#putShort(content, length) : this.#putLong(content, length),
    );
  }

  /** The same for an open file, which is cloned where the file system can do that, and may change meanwhile. */
  putFile(file: Descriptor, length: Bytes, device: number): Promise<StoredBlob> {
    return this.#reserving(length, async () => {
      if (length <= LONGEST_SMALL_BLOB) return this.#addShort(await wholeFile(file, length), length);
      const clone = await this.#large.clone(file, device);
      if (clone === null) return this.#putLong(pieces(file, length), length);
      return this.#keeping(clone, () => hashed(pieces(clone.handle.fd, length), length));
    });
  }

  /**
   * Begins a content of several blocks that is not there, or goes on with what there is of it. One at a time.
   * @param list its block list, which becomes a blob as well
   * @throws NotBelieved malformed, wrong-digest of the list; BlobStoreError in-use if it is being written already, full,
   * unusable; what the signal has as its reason
   */
  async resume(content: DraftedContent, list: Buffer, signal: AbortSignal): Promise<BlobDraft> {
    checkDraftList(list, content);
    const { digest, length } = content;
    await this.#partial.deleted(digest);
    if (this.#partial.isOpen(digest)) throw new BlobStoreError('in-use', `blob ${digest} is being written already`);
    const before = this.#partial.sizeOf(digest);
    this.#checkRoom(bytes(length - before));
    this.#partial.begin(digest, length);
    try {
      await this.#addList(list);
      return await BlobDraft.open(this.#partial.pathOf(digest), content, list, this.#ending(content, list), signal);
    } catch (error) {
      if (before === 0) await this.#partial.delete(digest);
      else this.#partial.leave(digest, before, this.#options.clock.monotonic());
      throw blobStoreError(error, this.#options.directory);
    }
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
  read(digest: Digest, from: Bytes, to: Bytes, blocks: Digest): AsyncGenerator<Buffer> {
    return this.#reader.read(digest, from, to, blocks);
  }

  /** The same as it is on the disk, for those who check it themselves. @throws BlobStoreError missing, damaged, unusable */
  readUnchecked(digest: Digest, from: Bytes, to: Bytes): AsyncGenerator<Buffer> {
    return this.#reader.readUnchecked(digest, from, to);
  }

  /** All of a blob that is short, a block list for example. @throws BlobStoreError missing, damaged, unusable */
  readWhole(digest: Digest): Promise<Buffer> {
    return this.#reader.readWhole(digest);
  }

  /** Deletes what nobody has referred to for long enough. Gives how many blobs, or beginnings of blobs, that were. */
  async collect(): Promise<number> {
    const { clock, keep } = this.#options;
    let count = 0;
    for (const digest of this.#partial.idle(clock.monotonic(), keep)) {
      if (this.#references.isReferredTo(digest) || this.#partial.isOpen(digest)) continue;
      await this.#partial.delete(digest);
      count++;
    }
    for (; ; count++) {
      const digest = this.#references.longestIdle(clock.monotonic(), keep);
      if (digest === null) return count;
      await this.#delete(digest);
    }
  }

  /** Reads every byte there is. What is damaged is deleted, and given. */
  async verify(): Promise<readonly Digest[]> {
    const wrong: Digest[] = [];
    for (const digest of [...this.#references.digests()]) if (!(await this.check(digest))) wrong.push(digest);
    return wrong;
  }

  /** Reads a blob. @returns whether it is right, or not there; one that is damaged is deleted */
  async check(digest: Digest): Promise<boolean> {
    if (await this.#reader.isRight(digest)) return true;
    this.#options.onDamaged(damaged(`blob ${digest}`));
    if (this.has(digest)) await this.#delete(digest);
    return false;
  }

  async close(): Promise<void> {
    await Promise.all(this.#deleting.values());
    await this.#large.close();
    await this.#small.close();
  }

  async #reserving(length: Bytes, work: () => Promise<StoredBlob>): Promise<StoredBlob> {
    this.#checkRoom(length);
    this.#reserved += length;
    try {
      return await work();
    } catch (error) {
      throw error instanceof SourceFailure ? error.cause : blobStoreError(error, this.#options.directory);
    } finally {
      this.#reserved -= length;
    }
  }

  #checkRoom(length: Bytes): void {
    if (this.#references.total + this.#partial.total + this.#reserved + length <= this.#limit) return;
    const { directory } = this.#options;
    throw new BlobStoreError(
      'full',
      `${length} bytes more do not fit into ${directory}, whose limit is ${this.#limit}`,
    );
  }

  #ending({ digest, length }: DraftedContent, list: Buffer): DraftEnding {
    const path = this.#partial.pathOf(digest);
    const discard = async (handle: FileHandle): Promise<void> => {
      await handle.close();
      await this.#partial.delete(digest);
    };
    return {
      discard,
      leave: async (handle, size) => {
        await handle.close();
        if (size === 0) return this.#partial.delete(digest);
        this.#partial.leave(digest, size, this.#options.clock.monotonic());
      },
      keep: async (handle) => {
        await this.#addList(list);
        if (await this.#touched(digest, length)) return discard(handle);
        this.#partial.forget(digest);
        await this.#large.keep(digest, { path, handle });
      },
    };
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
      if (blob.blockList.length > 32) await this.#addList(blob.blockList);
      if (await this.#touched(blob.digest, blob.length)) return blob;
      isKept = true;
      await this.#large.keep(blob.digest, draft);
      return blob;
    } finally {
      if (!isKept) await this.#large.discard(draft);
    }
  }

  async #addList(blockList: Buffer): Promise<void> {
    if (blockList.length <= LONGEST_SMALL_BLOB) await this.#addShort(blockList, bytes(blockList.length));
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

  async #delete(digest: Digest): Promise<void> {
    const length = this.lengthOf(digest);
    if (length === undefined) return;
    this.#references.forget(digest);
    const deleted = length <= LONGEST_SMALL_BLOB ? this.#small.delete(digest, length) : this.#large.delete(digest);
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
