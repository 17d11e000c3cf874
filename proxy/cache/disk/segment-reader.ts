import { bytes, type Bytes } from '../../../config/units.js';
import { blockDigest, contentDigest, digestNow, hashedHere } from './block-digest.js';
import type { LoadedSegments } from './disk-response.js';
import type { KnownBlocks } from './known-blocks.js';
import type { PromptReads } from './prompt-reads.js';
import { decodeFooter, DamagedSegment, DIGEST_LENGTH, ENDING_LENGTH, footerSize } from './segment-format.js';
import type { SegmentFiles } from './segment-files.js';
import type { Segment } from './segment.js';

export interface ReadingParts {
  readonly files: SegmentFiles;
  /** Null: nothing is read at once. */
  readonly prompt: PromptReads | null;
  /** What was checked before; null: every block is hashed each time. */
  readonly known: KnownBlocks | null;
  /** The bytes of an inline segment. */
  readonly content: (id: string) => Promise<Buffer | undefined>;
  readonly contentNow: (id: string) => Buffer | undefined;
}

/** Content up to this is read in one go, and so is known to be right before the first byte of it is given. */
const readWhole = 256 * 1024;

export interface Block {
  readonly at: number;
  readonly data: Buffer;
}

/** Reads segments block by block, and gives no byte that was not checked. Fails with DamagedSegment, or as files do. */
export class SegmentReader {
  readonly #parts: ReadingParts;

  constructor(parts: ReadingParts) {
    this.#parts = parts;
  }

  /**
   * The block of a segment that has a position of the representation, and the position of its first byte: at once, if it
   * was loaded, or if reads are prompt. Of what is read whole all is one block.
   */
  blockAt(segment: Segment, position: number, loaded: LoadedSegments): Block | Promise<Block> {
    return this.blockNow(segment, position, loaded) ?? this.#later(segment, position, loaded);
  }

  /** Whether blocks are had at once. */
  get isPrompt(): boolean {
    return this.#parts.prompt?.areOn() === true;
  }

  /** The same; null where it is better not to keep everybody waiting. @throws DamagedSegment, or as files do */
  blockNow(segment: Segment, position: number, loaded: LoadedSegments): Block | null {
    const { files, prompt, contentNow } = this.#parts;
    const held = atHand(segment, position, loaded);
    if (held !== null) return held;
    if (segment.blockSize > hashedHere || prompt?.areOn() !== true) return null;
    if (segment.inline) {
      const data = prompt.make(() => contentNow(segment.id));
      return loadedInline(segment, data, data && digestNow(data), loaded);
    }
    const extent = extentOf(segment, position);
    const { buffer, at } = extent;
    const read = prompt.make(() => files.readNow(segment.id, buffer, at));
    if (read === null) return null;
    const { data, unknown } = this.#compare(segment, extent, read);
    if (unknown.length > 0) {
      const digests = digestsAtHand(segment, extent, loaded) ?? this.#digestsNow(segment, loaded, prompt);
      if (digests === null) return null;
      for (const block of unknown) this.#accept(segment, block, digestNow(block.data), digests);
    }
    return loadedExtent(segment, extent, data, loaded);
  }

  async #later(segment: Segment, position: number, loaded: LoadedSegments): Promise<Block> {
    const { files, content } = this.#parts;
    if (segment.inline) {
      const data = await content(segment.id);
      return loadedInline(segment, data, data && (await blockDigest(data)), loaded);
    }
    const extent = extentOf(segment, position);
    const read = await files.read(segment.id, extent.buffer, extent.at);
    const { data, unknown } = this.#compare(segment, extent, read);
    if (unknown.length > 0) {
      const digests = digestsAtHand(segment, extent, loaded) ?? (await this.#digests(segment, loaded));
      await Promise.all(
        unknown.map(async (block) => this.#accept(segment, block, await blockDigest(block.data), digests)),
      );
    }
    return loadedExtent(segment, extent, data, loaded);
  }

  /** Compares what is known of what was read, and gives the rest of it. @throws DamagedSegment */
  #compare(
    segment: Segment,
    { buffer, first, length }: Extent,
    read: Bytes,
  ): { data: Buffer; unknown: NumberedBlock[] } {
    if (read < buffer.length) throw new DamagedSegment('its file is too short');
    const data = length === buffer.length ? buffer : buffer.subarray(0, length);
    const unknown: NumberedBlock[] = [];
    for (let from = 0, index = first; from < length; from += segment.blockSize, index++) {
      const block = data.subarray(from, from + segment.blockSize);
      const isRight = this.#parts.known?.check(segment.id, index, block) ?? null;
      if (isRight === false) throw new DamagedSegment(changed);
      if (isRight === null) unknown.push({ index, data: block });
    }
    return { data, unknown };
  }

  /** @throws DamagedSegment */
  #accept({ id, length, blockSize }: Segment, { index, data }: NumberedBlock, digest: Buffer, digests: Buffer): void {
    const at = index * DIGEST_LENGTH;
    if (digest.compare(digests, at, at + DIGEST_LENGTH) !== 0) throw new DamagedSegment(changed);
    this.#parts.known?.add(id, index, data, Math.ceil(length / blockSize));
  }

  async #digests(segment: Segment, loaded: LoadedSegments): Promise<Buffer> {
    const footer = Buffer.allocUnsafeSlow(footerLengthOf(segment));
    const read = await this.#parts.files.read(segment.id, footer, footerPlaceOf(segment));
    return loadedDigests(segment, footer.subarray(0, read), loaded);
  }

  #digestsNow(segment: Segment, loaded: LoadedSegments, prompt: PromptReads): Buffer | null {
    const { files } = this.#parts;
    const footer = Buffer.allocUnsafeSlow(footerLengthOf(segment));
    const read = prompt.make(() => files.readNow(segment.id, footer, footerPlaceOf(segment)));
    return read === null ? null : loadedDigests(segment, footer.subarray(0, read), loaded);
  }
}

/** What is read of a file in one go: blocks, or all content with the footer if that is needed to check it. */
interface Extent {
  readonly buffer: Buffer;
  /** Where it is in the file. */
  readonly at: Bytes;
  /** Of the content in it. */
  readonly length: number;
  /** The number of its first block. */
  readonly first: number;
}

interface NumberedBlock {
  readonly index: number;
  readonly data: Buffer;
}

const changed = 'its bytes are not what was stored';

function extentOf(segment: Segment, position: number): Extent {
  const { offset, length, blockSize } = segment;
  if (length <= readWhole) {
    const behind = length <= blockSize ? 0 : footerLengthOf(segment);
    return { buffer: Buffer.allocUnsafeSlow(length + behind), at: offset, length, first: 0 };
  }
  const first = indexOf(segment, position);
  const rest = Math.min(blockSize, length - first * blockSize);
  return { buffer: Buffer.allocUnsafeSlow(rest), at: bytes(offset + first * blockSize), length: rest, first };
}

const indexOf = (segment: Segment, position: number): number =>
  Math.floor((position - segment.from) / segment.blockSize);

const footerPlaceOf = ({ offset, length }: Segment): Bytes => bytes(offset + length);

const footerLengthOf = ({ length, blockSize }: Segment): Bytes => bytes(footerSize(length, blockSize) + ENDING_LENGTH);

/** What was loaded already. */
function atHand(segment: Segment, position: number, { contents, block }: LoadedSegments): Block | null {
  const content = contents.get(segment.id);
  if (content !== undefined) return { at: segment.from, data: content };
  if (block?.segment !== segment.id || block.index !== indexOf(segment, position)) return null;
  return { at: segment.from + block.index * segment.blockSize, data: block.data };
}

/** The digests of the blocks of a segment, if they were loaded, are those of its record, or were read with the content. */
function digestsAtHand(segment: Segment, { buffer, length }: Extent, loaded: LoadedSegments): Buffer | null {
  if (segment.length <= segment.blockSize) return Buffer.from(segment.digest, 'base64');
  const known = loaded.blockDigests.get(segment.id);
  return known ?? (buffer.length > length ? loadedDigests(segment, buffer.subarray(length), loaded) : null);
}

/** @throws DamagedSegment */
function loadedDigests(segment: Segment, end: Buffer, loaded: LoadedSegments): Buffer {
  const footer = footerLengthOf(segment) - ENDING_LENGTH;
  if (end.length < footer + ENDING_LENGTH) throw new DamagedSegment('its file is too short');
  const { length, blockSize, blocks } = decodeFooter(end.subarray(0, footer), end.subarray(footer));
  const isIt =
    length === segment.length &&
    blockSize === segment.blockSize &&
    contentDigest(blocks).toString('base64') === segment.digest;
  if (!isIt) throw new DamagedSegment('its file has another content');
  loaded.blockDigests.set(segment.id, blocks);
  return blocks;
}

/** @throws DamagedSegment */
function loadedInline(
  segment: Segment,
  data: Buffer | undefined,
  digest: Buffer | undefined,
  { contents }: LoadedSegments,
): Block {
  if (data?.length !== segment.length) throw new DamagedSegment('its bytes are not in the index');
  if (digest?.toString('base64') !== segment.digest) throw new DamagedSegment(changed);
  contents.set(segment.id, data);
  return { at: segment.from, data };
}

function loadedExtent(segment: Segment, { first }: Extent, data: Buffer, loaded: LoadedSegments): Block {
  if (data.length === segment.length) loaded.contents.set(segment.id, data);
  else loaded.block = { segment: segment.id, index: first, data };
  return { at: segment.from + first * segment.blockSize, data };
}
