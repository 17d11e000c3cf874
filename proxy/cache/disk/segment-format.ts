import { crc32 } from 'node:zlib';
import { bytes, type Bytes } from '../../../config/units.js';

/**
 * A segment file: bytes of one stored response that lie next to each other, and all that is needed to make an index of
 * such files alone. Numbers are big-endian.
 *
 *     "WLSSEG01"  header length (4)  CRC-32 of the header (4)
 *     header      JSON, see SegmentHeader
 *     content     the bytes from `header.from` on
 *     footer      content length (8)  ended (1)  0 (3)  block size (4)  digest (32)  SHA-256 of each block (32 each)
 *     "WLSEND01"  footer length (4)  CRC-32 of the footer (4)
 *
 * The digest is that of the only block, or the SHA-256 of the digests of several: the bytes are hashed once, and any block
 * can be checked without the others.
 */
export interface SegmentHeader {
  /** Names the file. */
  readonly id: string;
  /** Position of the first byte in the representation. */
  readonly from: Bytes;
  /** The rest of the record of the response as it was when the file was begun. */
  readonly response: unknown;
}

export interface SegmentFooter {
  readonly length: Bytes;
  /** Whether the transfer came to its end: where no length was announced, nothing else tells a part from the whole. */
  readonly ended: boolean;
  readonly blockSize: Bytes;
  /** Of all of it. */
  readonly digest: Buffer;
  /** One digest after the other. */
  readonly blocks: Buffer;
}

export const DIGEST_LENGTH = bytes(32);
export const PREAMBLE_LENGTH = bytes(16);
export const ENDING_LENGTH = bytes(16);
const FOOTER_HEAD = 8 + 4 + 4 + DIGEST_LENGTH;
const LARGEST_HEADER = 8 * 1024 * 1024;
const beginning = Buffer.from('WLSSEG01', 'latin1');
const end = Buffer.from('WLSEND01', 'latin1');

/** Thrown for a file, or a part of it, that is not what it should be. */
export class DamagedSegment extends Error {
  override readonly name = 'DamagedSegment';
}

/** A power of two that makes no more than 4096 blocks, 64 KiB at least; for a length that is not known, 64 KiB. */
export function blockSizeFor(length: Bytes | null): Bytes {
  let size = 64 * 1024;
  while (length !== null && size * 4096 < length) size *= 2;
  return bytes(size);
}

/** Preamble and header. */
export function encodeHeader(header: SegmentHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const preamble = Buffer.alloc(PREAMBLE_LENGTH);
  beginning.copy(preamble);
  preamble.writeUInt32BE(json.length, 8);
  preamble.writeUInt32BE(crc32(json), 12);
  return Buffer.concat([preamble, json]);
}

/** Length of the header that follows a preamble. @throws DamagedSegment */
export function headerLength(preamble: Buffer): Bytes {
  if (preamble.length < PREAMBLE_LENGTH || !preamble.subarray(0, 8).equals(beginning)) {
    throw new DamagedSegment('it does not begin as a segment file');
  }
  const length = preamble.readUInt32BE(8);
  if (length > LARGEST_HEADER) throw new DamagedSegment('its header is too long');
  return bytes(length);
}

/** @throws DamagedSegment */
export function decodeHeader(preamble: Buffer, json: Buffer): SegmentHeader {
  if (json.length !== headerLength(preamble) || crc32(json) !== preamble.readUInt32BE(12)) {
    throw new DamagedSegment('its header is damaged');
  }
  const { id, from, response } = JSON.parse(json.toString()) as { id: string; from: number; response: unknown };
  return { id, from: bytes(from), response };
}

/** Footer and ending. */
export function encodeFooter({ length, ended, blockSize, digest, blocks }: SegmentFooter): Buffer {
  const footer = Buffer.alloc(FOOTER_HEAD + blocks.length);
  footer.writeBigUInt64BE(BigInt(length), 0);
  footer.writeUInt8(ended ? 1 : 0, 8);
  footer.writeUInt32BE(blockSize, 12);
  digest.copy(footer, 16);
  blocks.copy(footer, FOOTER_HEAD);
  const ending = Buffer.alloc(ENDING_LENGTH);
  end.copy(ending);
  ending.writeUInt32BE(footer.length, 8);
  ending.writeUInt32BE(crc32(footer), 12);
  return Buffer.concat([footer, ending]);
}

/** Length of the footer that precedes an ending. @throws DamagedSegment */
export function footerLength(ending: Buffer): Bytes {
  if (ending.length !== ENDING_LENGTH || !ending.subarray(0, 8).equals(end)) {
    throw new DamagedSegment('it does not end as a segment file');
  }
  return bytes(ending.readUInt32BE(8));
}

/** @throws DamagedSegment */
export function decodeFooter(footer: Buffer, ending: Buffer): SegmentFooter {
  if (
    footer.length !== footerLength(ending) ||
    footer.length < FOOTER_HEAD ||
    crc32(footer) !== ending.readUInt32BE(12)
  ) {
    throw new DamagedSegment('its footer is damaged');
  }
  const length = bytes(Number(footer.readBigUInt64BE(0)));
  const ended = footer.readUInt8(8) === 1;
  const blockSize = bytes(footer.readUInt32BE(12));
  const blocks = footer.subarray(FOOTER_HEAD);
  if (blockSize === 0 || blocks.length !== Math.ceil(length / blockSize) * DIGEST_LENGTH) {
    throw new DamagedSegment('its footer does not list its blocks');
  }
  return { length, ended, blockSize, digest: footer.subarray(16, FOOTER_HEAD), blocks };
}

export const footerSize = (length: Bytes, blockSize: Bytes): Bytes =>
  bytes(FOOTER_HEAD + Math.ceil(length / blockSize) * DIGEST_LENGTH);
