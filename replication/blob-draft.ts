import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { bytes, type Bytes } from '../config/units.js';
import { blockDigest } from '../proxy/cache/disk/block-digest.js';
import { blockCount, type BlockedContent } from '../wlis/trust/block-list.js';
import { digestFrom, type Digest } from '../wlis/trust/digest.js';
import { NotBelieved } from '../wlis/trust/not-believed.js';
import { writeFully } from './blob-content.js';
import { blobStoreError, damaged } from './blob-store-error.js';
import { digestOf } from './content-hash.js';
import { readFully } from './large-blobs.js';

/** A content of several blocks that is to become a blob. */
export interface DraftedContent extends BlockedContent {
  readonly digest: Digest;
}

/** What becomes of a draft; whoever is called owns the file. */
export interface DraftEnding {
  /** It is whole. */
  keep(handle: FileHandle): Promise<void>;
  /** So much of it stays for another time. */
  leave(handle: FileHandle, size: Bytes): Promise<void>;
  /** It cannot become what it was to be. */
  discard(handle: FileHandle): Promise<void>;
}

/**
 * The beginning of a blob, to which blocks are added in their order, each verified before it is written. One call at a time,
 * but for `block`.
 */
export class BlobDraft {
  readonly #content: DraftedContent;
  readonly #list: Buffer;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #ending: DraftEnding;
  readonly #whole = createHash('sha256');
  #next = 0;
  #isOver = false;

  private constructor(path: string, handle: FileHandle, content: DraftedContent, list: Buffer, ending: DraftEnding) {
    this.#path = path;
    this.#content = content;
    this.#list = list;
    this.#handle = handle;
    this.#ending = ending;
  }

  /** What the file has is verified again; what follows the first wrong block is cut off. @throws what the signal has as reason */
  static async open(
    path: string,
    content: DraftedContent,
    list: Buffer,
    ending: DraftEnding,
    signal: AbortSignal,
  ): Promise<BlobDraft> {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    const draft = new BlobDraft(path, handle, content, list, ending);
    try {
      await draft.#verify(signal);
      return draft;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Number of the first block that is missing. */
  get next(): number {
    return this.#next;
  }

  /** How many bytes there are, in whole blocks. */
  get position(): Bytes {
    return bytes(Math.min(this.#content.length, this.#next * this.#content.blockSize));
  }

  get isWhole(): boolean {
    return this.#next === blockCount(this.#content);
  }

  /** Adds the block that is missing first. @throws NotBelieved wrong-digest; BlobStoreError full, unusable */
  async append(block: Buffer): Promise<void> {
    const { length, blockSize } = this.#content;
    const isAsLong = block.length === Math.min(blockSize, length - this.position);
    if (this.#isOver || !isAsLong || !(await this.#isBlock(block, this.#next))) {
      throw new NotBelieved('wrong-digest', `block ${this.#next} of ${this.#content.digest} is another one`);
    }
    try {
      await writeFully(this.#handle, block, this.position);
    } catch (error) {
      throw blobStoreError(error, this.#path);
    }
    this.#added(block);
  }

  /** A block that is there, verified once more. @throws BlobStoreError damaged */
  async block(number: number): Promise<Buffer> {
    const { length, blockSize, digest } = this.#content;
    const from = number * blockSize;
    const size = bytes(Math.min(blockSize, length - from));
    const block = await readFully(this.#handle, bytes(from), size, `draft ${digest}`);
    if (await this.#isBlock(block, number)) return block;
    throw damaged(`block ${number} of draft ${digest}`);
  }

  /**
   * Makes a blob of what is whole. @throws NotBelieved wrong-digest if it is right by its block list and still not the content
   * of that digest: whoever signed the record said what cannot be true
   */
  async complete(): Promise<void> {
    if (this.#isOver || !this.isWhole) throw new RangeError(`draft ${this.#content.digest} is not whole`);
    this.#isOver = true;
    if (digestFrom(this.#whole.digest()) === this.#content.digest) return this.#ending.keep(this.#handle);
    await this.#ending.discard(this.#handle);
    throw new NotBelieved('wrong-digest', `the content with the block list ${this.#content.blocks} is another one`);
  }

  /** Leaves what there is for another time. Idempotent, and without effect after `complete`. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#ending.leave(this.#handle, this.position);
  }

  async #verify(signal: AbortSignal): Promise<void> {
    const { length, blockSize } = this.#content;
    const { size } = await this.#handle.stat();
    while (!this.isWhole) {
      signal.throwIfAborted();
      const end = Math.min(length, this.position + blockSize);
      if (end > size) break;
      const block = await readFully(this.#handle, this.position, bytes(end - this.position), 'a draft');
      if (!(await this.#isBlock(block, this.#next))) break;
      this.#added(block);
    }
    if (size > this.position) await this.#handle.truncate(this.position);
  }

  async #isBlock(block: Buffer, number: number): Promise<boolean> {
    return digestFrom(await blockDigest(block)) === digestFrom(this.#list, 32 * number);
  }

  #added(block: Buffer): void {
    this.#whole.update(block);
    this.#next++;
  }
}

/** A block list as `BlobDraft` needs it. @throws NotBelieved malformed, wrong-digest */
export function checkDraftList(list: Buffer, content: BlockedContent): void {
  const expected = 32 * blockCount(content);
  if (list.length !== expected) {
    throw new NotBelieved('malformed', `block list: ${list.length} bytes instead of ${expected}`);
  }
  if (digestOf(list) !== content.blocks) throw new NotBelieved('wrong-digest', 'block list: another digest');
}
