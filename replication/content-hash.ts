import { isUtf8 } from 'node:buffer';
import { createHash, type Hash } from 'node:crypto';
import type { Bytes } from '../config/units.js';
import { blockSizeFor } from '../wlis/trust/block-list.js';
import { digestFrom, type Digest } from '../wlis/trust/digest.js';

/** What is said of a content by which anybody can check it. */
export interface ContentHash {
  /** Of the whole. */
  readonly digest: Digest;
  readonly blockSize: Bytes;
  /** SHA-256 of each block, one after the other, 32 bytes each. */
  readonly blockList: Buffer;
  /** Of the block list. */
  readonly blocks: Digest;
  /** Whether it is text in UTF-8, as far as bytes can tell: valid, without NUL, and without the escapes of other encodings. */
  readonly isText: boolean;
}

/** Hashes a content of known length as it passes. A length that turns out to be another one makes a wrong block list. */
export class ContentHasher {
  readonly #blockSize: Bytes;
  readonly #isSingle: boolean;
  readonly #isEmpty: boolean;
  readonly #whole = createHash('sha256');
  readonly #list: Buffer[] = [];
  readonly #text = new TextTest();
  #block: Hash | null = null;
  #inBlock = 0;

  constructor(length: Bytes) {
    this.#blockSize = blockSizeFor(length);
    this.#isSingle = length <= this.#blockSize;
    this.#isEmpty = length === 0;
  }

  update(chunk: Buffer): void {
    this.#whole.update(chunk);
    this.#text.update(chunk);
    if (this.#isSingle) return;
    for (let at = 0; at < chunk.length;) {
      const end = Math.min(chunk.length, at + this.#blockSize - this.#inBlock);
      this.#block ??= createHash('sha256');
      this.#block.update(chunk.subarray(at, end));
      this.#inBlock += end - at;
      at = end;
      if (this.#inBlock === this.#blockSize) this.#endBlock();
    }
  }

  /** To be called once. */
  end(): ContentHash {
    if (this.#inBlock > 0) this.#endBlock();
    const whole = this.#whole.digest();
    const blockList = this.#isSingle && !this.#isEmpty ? whole : Buffer.concat(this.#list);
    return {
      digest: digestFrom(whole),
      blockSize: this.#blockSize,
      blockList,
      blocks: digestOf(blockList),
      isText: this.#text.end(),
    };
  }

  #endBlock(): void {
    if (this.#block !== null) this.#list.push(this.#block.digest());
    this.#block = null;
    this.#inBlock = 0;
  }
}

export const digestOf = (data: Uint8Array): Digest => digestFrom(createHash('sha256').update(data).digest());

const ESC = 0x1b;
const NUL = 0;

/** Judges piece by piece, where a piece may end within a character. */
class TextTest {
  #isText = true;
  #rest: Buffer = Buffer.alloc(0);

  update(chunk: Buffer): void {
    if (!this.#isText) return;
    const joined = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const whole = wholeCharacters(joined);
    this.#isText = isUtf8(joined.subarray(0, whole)) && !chunk.includes(NUL) && !chunk.includes(ESC);
    this.#rest = Buffer.from(joined.subarray(whole));
  }

  end(): boolean {
    return this.#isText && this.#rest.length === 0;
  }
}

/** Where the last character begins if it is not whole, otherwise the end. */
function wholeCharacters(data: Buffer): number {
  for (let back = 1; back <= Math.min(3, data.length); back++) {
    const byte = data[data.length - back] as number;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return needed > back ? data.length - back : data.length;
  }
  return data.length;
}
