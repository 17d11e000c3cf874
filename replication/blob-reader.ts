import { bytes, type Bytes } from '../config/units.js';
import { blockDigest } from '../proxy/cache/disk/block-digest.js';
import { blockSizeFor } from '../wlis/trust/block-list.js';
import { digestFrom, type Digest } from '../wlis/trust/digest.js';
import { hashed, piecesOf, SourceFailure, type BlobSource } from './blob-content.js';
import { blobStoreError, BlobStoreError, damaged } from './blob-store-error.js';
import { readFully, type LargeBlobs } from './large-blobs.js';
import type { SmallBlobs } from './small-blobs.js';

/** Longer ones are files of their own. */
export const LONGEST_SMALL_BLOB = bytes(32 * 1024);

export interface BlobReaderOptions {
  readonly directory: string;
  readonly small: SmallBlobs;
  readonly large: LargeBlobs;
  readonly lengthOf: (digest: Digest) => Bytes | undefined;
}

/** Reads blobs, wherever they are, and gives nothing that is not what was stored. */
export class BlobReader {
  readonly #options: BlobReaderOptions;

  constructor(options: BlobReaderOptions) {
    this.#options = options;
  }

  /** As `BlobStore.read`. @throws BlobStoreError missing, damaged, unusable */
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

  /** As `BlobStore.readUnchecked`. @throws BlobStoreError missing, damaged (shorter than it was), unusable */
  async *readUnchecked(digest: Digest, from: Bytes, to: Bytes): AsyncGenerator<Buffer> {
    const length = this.#lengthOf(digest);
    const end = Math.min(to, length);
    const source = await this.#source(digest, length);
    try {
      for (let at: number = from; at < end; at += uncheckedPiece) {
        yield await source.read(bytes(at), bytes(Math.min(uncheckedPiece, end - at)));
      }
    } finally {
      await source.close();
    }
  }

  /** As `BlobStore.readWhole`. @throws BlobStoreError missing, damaged, unusable */
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

  /** Whether every byte is what was stored; also if it has been deleted meanwhile. @throws BlobStoreError unusable */
  async isRight(digest: Digest): Promise<boolean> {
    const { lengthOf, directory } = this.#options;
    const length = lengthOf(digest);
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
      throw blobStoreError(error, directory);
    }
  }

  #lengthOf(digest: Digest): Bytes {
    const length = this.#options.lengthOf(digest);
    if (length === undefined) throw new BlobStoreError('missing', `there is no blob ${digest}`);
    return length;
  }

  async #source(digest: Digest, length: Bytes): Promise<BlobSource> {
    const { small, large, directory } = this.#options;
    if (length <= LONGEST_SMALL_BLOB) {
      const content = await small.get(digest, length);
      if (content === undefined) throw new BlobStoreError('missing', `blob ${digest} has gone`);
      return {
        read: (from, size) => Promise.resolve(content.subarray(from, from + size)),
        close: () => Promise.resolve(),
      };
    }
    try {
      const handle = await large.openForReading(digest);
      return {
        read: (from, size) => readFully(handle, from, size, `blob ${digest}`),
        close: () => handle.close(),
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        throw new BlobStoreError('missing', `blob ${digest} has gone`, { cause: error });
      }
      throw blobStoreError(error, directory);
    }
  }
}

const uncheckedPiece = 256 * 1024;

function digestAt(list: Buffer, block: number): Digest {
  if ((block + 1) * 32 > list.length) throw damaged('a block list');
  return digestFrom(list, block * 32);
}
