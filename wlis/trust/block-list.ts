import { bytes, type Bytes } from '../../config/units.js';
import { digestOfBytes, type Digest } from './digest.js';
import { NotBelieved } from './not-believed.js';

/** What a block list belongs to. */
export interface BlockedContent {
  readonly length: Bytes;
  readonly blockSize: Bytes;
  /** SHA-256 of the list. */
  readonly blocks: Digest;
}

/** Content of at most this is one block, whose list is the digest of the content and is sent nowhere. */
export const SMALLEST_BLOCK = bytes(65_536);

export const MOST_BLOCKS = 4096;

/** The smallest power of two from 64 KiB on that gives at most 4096 blocks: 1 MiB for 4 GiB. */
export function blockSizeFor(length: Bytes): Bytes {
  let size: number = SMALLEST_BLOCK;
  while (size * MOST_BLOCKS < length) size *= 2;
  return bytes(size);
}

/** How many blocks there are; none of no bytes. */
export const blockCount = ({ length, blockSize }: { length: Bytes; blockSize: Bytes }): number =>
  Math.ceil(length / blockSize);

/**
 * The list of a content: the SHA-256 of each of its blocks, 32 bytes each, one after the other.
 * @throws NotBelieved wrong-digest, or malformed if it is of another number of blocks
 */
export function checkBlockList(list: Uint8Array, content: BlockedContent): void {
  const expected = 32 * blockCount(content);
  if (list.length !== expected) {
    throw new NotBelieved('malformed', `block list: ${list.length} bytes instead of ${expected}`);
  }
  if (digestOfBytes(list) !== content.blocks) throw new NotBelieved('wrong-digest', 'block list: another digest');
}

/** Whole blocks, and what of their bytes is wanted. */
export interface BlockRange {
  /** Numbers of the first block and of the one behind the last. */
  readonly first: number;
  readonly end: number;
  /** Where they begin and end in the content. */
  readonly from: Bytes;
  readonly to: Bytes;
}

/** The blocks that have the bytes from `from` up to, not including, `to`, as far as there are such bytes. */
export function blocksAround(content: { length: Bytes; blockSize: Bytes }, from: Bytes, to: Bytes): BlockRange {
  const { length, blockSize } = content;
  const first = Math.min(Math.floor(from / blockSize), blockCount(content));
  const end = to > from ? Math.min(Math.ceil(to / blockSize), blockCount(content)) : first;
  return { first, end, from: bytes(Math.min(length, first * blockSize)), to: bytes(Math.min(length, end * blockSize)) };
}
