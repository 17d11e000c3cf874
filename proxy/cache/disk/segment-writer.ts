import { createHash, type Hash } from 'node:crypto';
import { bytes, type Bytes } from '../../../config/units.js';
import { BodyAssembly } from '../body-assembly.js';
import { contentDigest } from './block-digest.js';
import { diskFault } from './disk-fault.js';
import type { Descriptor, FileSystem } from './file-system.js';
import { encodeFooter, encodeHeader } from './segment-format.js';
import type { SegmentFiles } from './segment-files.js';
import type { Segment } from './segment.js';

export interface SegmentPlace {
  readonly id: string;
  readonly from: Bytes;
  readonly blockSize: Bytes;
  /** How many bytes will come, if it is known. */
  readonly expected: Bytes | null;
  /** For the header. */
  readonly response: unknown;
}

export interface WritingParts {
  readonly files: SegmentFiles;
  readonly system: FileSystem;
  /** Asked when the disk is full; true if it is worth trying again. */
  readonly onFull: () => Promise<boolean>;
}

/** So much is gathered before it is written. */
const gathered = 256 * 1024;

/** Writes one segment to a temporary file, which gets its place when it is whole. */
export class SegmentWriter {
  readonly #parts: WritingParts;
  readonly #place: SegmentPlace;
  readonly #offset: Bytes;
  readonly #digests: Buffer[] = [];
  /** Of the block that is not complete, if something of it has come. */
  #hash: Hash | null = null;
  #inBlock = 0;
  /** What comes before the chunks that wait; null once it is written. */
  #header: Buffer | null;
  #waiting: BodyAssembly;
  #length = 0;
  #written = 0;
  #descriptor: Descriptor | null = null;
  #flushing: Promise<void> | null = null;

  constructor(parts: WritingParts, place: SegmentPlace) {
    this.#parts = parts;
    this.#place = place;
    const header = encodeHeader({ id: place.id, from: place.from, response: place.response });
    this.#offset = bytes(header.length);
    this.#header = header;
    this.#waiting = new BodyAssembly(place.expected);
  }

  /** Where the content begins in the file. */
  get offset(): Bytes {
    return this.#offset;
  }

  /** Keeps a chunk, or a copy. Where it gives a promise, no more is to come before; it rejects if the disk does not take it. */
  add(chunk: Buffer): Promise<void> | null {
    this.#digest(chunk);
    this.#length += chunk.length;
    this.#waiting.add(chunk);
    if (this.#waiting.length < gathered) return null;
    if (this.#flushing !== null) return this.#flushing.then(() => this.#beginFlush());
    this.#beginFlush();
    return null;
  }

  /**
   * Rejects if the disk does not take it; then, as at any time before, it is to be discarded.
   * @param ended whether the transfer came to its end
   */
  async finish(ended: boolean): Promise<Segment> {
    await this.#flushing;
    if (this.#hash !== null) this.#endBlock(this.#hash);
    const blocks = this.#digests.length === 1 ? (this.#digests[0] as Buffer) : Buffer.concat(this.#digests);
    const { id, from, blockSize } = this.#place;
    const length = bytes(this.#length);
    const digest = contentDigest(blocks);
    await this.#flush(encodeFooter({ length, ended, blockSize, digest, blocks }));
    const descriptor = this.#descriptor as Descriptor;
    this.#descriptor = null;
    await this.#parts.system.close(descriptor);
    await this.#parts.files.place(id);
    return { id, inline: false, from, length, blockSize, offset: this.#offset, digest: digest.toString('base64') };
  }

  async discard(): Promise<void> {
    await this.#flushing?.catch(() => undefined);
    if (this.#written === 0 && this.#descriptor === null) return;
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    if (descriptor !== null) await this.#parts.system.close(descriptor);
    await this.#parts.files.deleteTemporary(this.#place.id);
  }

  /** The digests of the blocks, as the bytes come: they are in the processor's caches now. */
  #digest(chunk: Buffer): void {
    const { blockSize } = this.#place;
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + blockSize - this.#inBlock);
      const hash = (this.#hash ??= createHash('sha256'));
      hash.update(part);
      at += part.length;
      this.#inBlock += part.length;
      if (this.#inBlock === blockSize) this.#endBlock(hash);
    }
  }

  #endBlock(hash: Hash): void {
    this.#digests.push(hash.digest());
    this.#hash = null;
    this.#inBlock = 0;
  }

  /** A failure stays, for whoever waits next. */
  #beginFlush(): void {
    const flushing = this.#flush(null).then(() => {
      if (this.#flushing === flushing) this.#flushing = null;
    });
    flushing.catch(() => undefined);
    this.#flushing = flushing;
  }

  /** Writes what waits, and what is to come after it. */
  async #flush(last: Buffer | null): Promise<void> {
    const chunks = this.#waiting.finish();
    if (this.#header !== null) chunks.unshift(this.#header);
    if (last !== null) chunks.push(last);
    this.#header = null;
    this.#waiting = new BodyAssembly(null);
    try {
      await this.#write(chunks);
    } catch (error) {
      if (diskFault(error) !== 'full' || !(await this.#parts.onFull())) throw error;
      await this.#write(chunks);
    }
    for (const { length } of chunks) this.#written += length;
  }

  async #write(chunks: readonly Buffer[]): Promise<void> {
    const { system, files } = this.#parts;
    this.#descriptor ??= await system.open(files.temporaryPathOf(this.#place.id), 'create');
    await system.write(this.#descriptor, chunks, bytes(this.#written));
  }
}
