import { bytes } from '../../../config/units.js';
import { blockDigest, contentDigest } from './block-digest.js';
import type { LoadedSegments } from './disk-response.js';
import { decodeFooter, DamagedSegment, DIGEST_LENGTH, ENDING_LENGTH, footerSize } from './segment-format.js';
import type { SegmentFiles } from './segment-files.js';
import type { Segment } from './segment.js';

/** Content up to this is read in one go. */
const readWhole = 256 * 1024;

/** Reads segments block by block, and gives no byte that was not checked. Rejects with DamagedSegment, or as files do. */
export class SegmentReader {
  constructor(
    private readonly files: SegmentFiles,
    /** The bytes of an inline segment. */
    private readonly content: (id: string) => Promise<Buffer | undefined>,
  ) {}

  /** The block of a segment that has a position of the representation, and the position of its first byte. */
  async blockAt(segment: Segment, position: number, loaded: LoadedSegments): Promise<Block> {
    const at = this.#atHand(segment, position, loaded);
    if (at !== null) return at;
    if (segment.inline || segment.length <= readWhole) {
      const data = segment.inline ? await this.#readInline(segment) : await this.#readFile(segment);
      loaded.contents.set(segment.id, data);
      return { at: segment.from, data };
    }
    const index = indexOf(segment, position);
    const data = await this.#readBlock(segment, index, loaded);
    loaded.block = { segment: segment.id, index, data };
    return { at: segment.from + index * segment.blockSize, data };
  }

  /** The same, if it was loaded already. */
  #atHand(segment: Segment, position: number, { contents, block }: LoadedSegments): Block | null {
    const content = contents.get(segment.id);
    if (content !== undefined) return { at: segment.from, data: content };
    if (block?.segment !== segment.id || block.index !== indexOf(segment, position)) return null;
    return { at: segment.from + block.index * segment.blockSize, data: block.data };
  }

  async #readInline(segment: Segment): Promise<Buffer> {
    const data = await this.content(segment.id);
    if (data?.length !== segment.length) throw new DamagedSegment('its bytes are not in the index');
    const digest = await blockDigest(data);
    if (digest.toString('base64') !== segment.digest) throw new DamagedSegment('its bytes are not what was stored');
    return data;
  }

  /** Content and footer. */
  async #readFile(segment: Segment): Promise<Buffer> {
    const { id, offset, length, blockSize } = segment;
    const isOneBlock = length <= blockSize;
    const behind = isOneBlock ? 0 : footerSize(length, blockSize) + ENDING_LENGTH;
    const read = Buffer.allocUnsafeSlow(length + behind);
    if ((await this.files.read(id, read, offset)) < read.length) throw new DamagedSegment('its file is too short');
    const content = read.subarray(0, length);
    const digests = isOneBlock ? Buffer.from(segment.digest, 'base64') : digestsIn(segment, read.subarray(length));
    const checks = [];
    for (let i = 0; i * blockSize < length; i++) {
      checks.push(check(content.subarray(i * blockSize, (i + 1) * blockSize), digests, i));
    }
    await Promise.all(checks);
    return content;
  }

  async #readBlock(segment: Segment, index: number, loaded: LoadedSegments): Promise<Buffer> {
    const { id, offset, length, blockSize } = segment;
    const digests = loaded.blockDigests.get(id) ?? (await this.#readDigests(segment));
    loaded.blockDigests.set(id, digests);
    const data = Buffer.allocUnsafeSlow(Math.min(blockSize, length - index * blockSize));
    if ((await this.files.read(id, data, bytes(offset + index * blockSize))) < data.length) {
      throw new DamagedSegment('its file is too short');
    }
    await check(data, digests, index);
    return data;
  }

  async #readDigests(segment: Segment): Promise<Buffer> {
    const { id, offset, length, blockSize } = segment;
    const footer = Buffer.allocUnsafeSlow(footerSize(length, blockSize) + ENDING_LENGTH);
    if ((await this.files.read(id, footer, bytes(offset + length))) < footer.length) {
      throw new DamagedSegment('its file is too short');
    }
    return digestsIn(segment, footer);
  }
}

export interface Block {
  readonly at: number;
  readonly data: Buffer;
}

const indexOf = (segment: Segment, position: number): number =>
  Math.floor((position - segment.from) / segment.blockSize);

function digestsIn(segment: Segment, end: Buffer): Buffer {
  const { length, blockSize, blocks } = decodeFooter(
    end.subarray(0, end.length - ENDING_LENGTH),
    end.subarray(end.length - ENDING_LENGTH),
  );
  const isIt =
    length === segment.length &&
    blockSize === segment.blockSize &&
    contentDigest(blocks).toString('base64') === segment.digest;
  if (!isIt) throw new DamagedSegment('its file has another content');
  return blocks;
}

async function check(block: Buffer, digests: Buffer, index: number): Promise<void> {
  const expected = digests.subarray(index * DIGEST_LENGTH, (index + 1) * DIGEST_LENGTH);
  if (!(await blockDigest(block)).equals(expected)) throw new DamagedSegment('its bytes are not what was stored');
}
