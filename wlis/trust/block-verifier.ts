import type { Bytes } from '../../config/units.js';
import { blocksAround, type BlockRange } from './block-list.js';
import { NotBelieved } from './not-believed.js';

/** The SHA-256 of a block, by whatever the platform is fastest with. */
export type ContentDigest = (block: Uint8Array) => Uint8Array | Promise<Uint8Array>;

export interface VerifiedContent {
  readonly length: Bytes;
  readonly blockSize: Bytes;
  /** The block list, checked against the record (`checkBlockList`). */
  readonly list: Uint8Array;
}

/**
 * Lets content through block by block: nothing leaves before the block that it is in has been verified. Holds one block
 * and what it was given last. After a break, or a block that is wrong, the next source goes on at `next`; whose block was
 * wrong is thereby known.
 */
export class BlockVerifier {
  readonly #content: VerifiedContent;
  readonly #digest: ContentDigest;
  readonly #range: BlockRange;
  readonly #held: Uint8Array;
  #heldCount = 0;
  #next: number;

  /** @param range whole blocks that will be given, all of them by default */
  constructor(content: VerifiedContent, digest: ContentDigest, range?: BlockRange) {
    this.#content = content;
    this.#digest = digest;
    this.#range = range ?? blocksAround(content, 0 as Bytes, content.length);
    this.#next = this.#range.first;
    this.#held = new Uint8Array(Math.min(content.blockSize, this.#range.to - this.#range.from));
  }

  /** Number of the first block that was not verified yet. */
  get next(): number {
    return this.#next;
  }

  /**
   * Takes the bytes that follow, and gives those blocks that they complete. What it gives may lie in `chunk`.
   * One call at a time; not to be called again after it threw.
   * @throws NotBelieved wrong-digest, too-large for more bytes than the blocks have
   */
  async take(chunk: Uint8Array): Promise<Uint8Array[]> {
    const verified: Uint8Array[] = [];
    for (let at = 0; at < chunk.length;) {
      const size = this.#sizeOfNext();
      if (size === 0) throw new NotBelieved('too-large', `more than the ${this.#content.length} bytes of the content`);
      const rest = chunk.subarray(at, at + size - this.#heldCount);
      at += rest.length;
      if (rest.length === size) {
        await this.#verify(rest);
        verified.push(rest);
        continue;
      }
      this.#held.set(rest, this.#heldCount);
      this.#heldCount += rest.length;
      if (this.#heldCount < size) continue;
      const block = this.#held.slice(0, size);
      await this.#verify(block);
      this.#heldCount = 0;
      verified.push(block);
    }
    return verified;
  }

  /** @throws NotBelieved malformed if bytes are missing */
  end(): void {
    const { end } = this.#range;
    if (this.#next < end) throw new NotBelieved('malformed', `the content ends in block ${this.#next} of ${end}`);
  }

  #sizeOfNext(): number {
    const { length, blockSize } = this.#content;
    return this.#next < this.#range.end ? Math.min(blockSize, length - this.#next * blockSize) : 0;
  }

  async #verify(block: Uint8Array): Promise<void> {
    const digest = await this.#digest(block);
    const at = 32 * this.#next;
    for (let i = 0; i < 32; i++) {
      if (digest[i] !== this.#content.list[at + i]) {
        throw new NotBelieved('wrong-digest', `block ${this.#next} is not that of the block list`);
      }
    }
    this.#next++;
  }
}
