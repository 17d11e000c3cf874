import { read } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { bytes, type Bytes } from '../config/units.js';
import { BlobStoreError } from './blob-store-error.js';
import { ContentHasher, type ContentHash } from './content-hash.js';

/** A content in the store, with what is said of it. */
export interface StoredBlob extends ContentHash {
  readonly length: Bytes;
}

/** What the source of a content threw, and not the store. */
export class SourceFailure extends Error {
  override readonly name = 'SourceFailure';
}

const pieceSize = 256 * 1024;

/** An open file, as the system numbers it. */
export type Descriptor = number;

/** The bytes of a blob. */
export interface BlobSource {
  readonly read: (from: Bytes, size: Bytes) => Promise<Buffer>;
  readonly close: () => Promise<void>;
}

/** All of it. */
export async function* piecesOf(source: BlobSource, length: Bytes): AsyncGenerator<Buffer> {
  for (let at = 0; at < length; at += pieceSize) {
    yield await source.read(bytes(at), bytes(Math.min(pieceSize, length - at)));
  }
}

/** An open file until its end, or one byte beyond the length that it should have. */
export async function* pieces(file: Descriptor, length: Bytes): AsyncGenerator<Buffer> {
  for (let at = 0; at <= length;) {
    const buffer = Buffer.allocUnsafe(Math.min(pieceSize, length - at + 1));
    const { bytesRead } = await readInto(file, buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** All of a short file, or one byte beyond the length that it should have. @throws SourceFailure */
export async function wholeFile(file: Descriptor, length: Bytes): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length + 1);
  try {
    for (let filled = 0; ;) {
      const { bytesRead } = await readInto(file, buffer, filled, buffer.length - filled, filled);
      filled += bytesRead;
      if (bytesRead === 0 || filled >= length) return buffer.subarray(0, filled);
    }
  } catch (cause) {
    throw new SourceFailure('the source of a content failed', { cause });
  }
}

const readInto = promisify(read);

// eslint-disable-next-line @typescript-eslint/require-await -- an iterable of one
export async function* once(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}

/**
 * Passes a content on and says what is to be said of it. @throws BlobStoreError changed if it is not exactly as long;
 * SourceFailure
 */
export async function hashed(
  content: AsyncIterable<Buffer>,
  length: Bytes,
  onChunk?: (chunk: Buffer) => Promise<void> | void,
): Promise<StoredBlob> {
  const hasher = new ContentHasher(length);
  let received = 0;
  for await (const chunk of marked(content)) {
    received += chunk.length;
    if (received > length) break;
    hasher.update(chunk);
    await onChunk?.(chunk);
  }
  return ended(hasher, received, length);
}

/** The same of a content that is at hand. @throws BlobStoreError changed */
export function hashedAtOnce(content: Buffer, length: Bytes): StoredBlob {
  const hasher = new ContentHasher(length);
  if (content.length === length) hasher.update(content);
  return ended(hasher, content.length, length);
}

function ended(hasher: ContentHasher, received: number, length: Bytes): StoredBlob {
  if (received === length) {
    const { digest, blockSize, blockList, blocks, isText } = hasher.end();
    return { digest, blockSize, blockList, blocks, isText, length };
  }
  const kind = received > length ? 'more' : 'fewer';
  throw new BlobStoreError('changed', `${kind} than the ${length} bytes there were to be`);
}

/** @param from where in the file; behind what was written last if it is not said */
export async function writeFully(handle: FileHandle, chunk: Buffer, from: Bytes | null = null): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    const position = from === null ? null : from + at;
    at += (await handle.write(chunk, at, chunk.length - at, position)).bytesWritten;
  }
}

async function* marked(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* content;
  } catch (cause) {
    throw new SourceFailure('the source of a content failed', { cause });
  }
}
