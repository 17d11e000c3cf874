import { bytes, type Bytes } from '../../../config/units.js';
import { blockDigest, contentDigest } from './block-digest.js';
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
  readonly #digests: (Buffer | Promise<Buffer>)[] = [];
  #block: Buffer | null = null;
  #inBlock = 0;
  #waiting: Buffer[];
  #waitingBytes = 0;
  #length = 0;
  #written = 0;
  #descriptor: Descriptor | null = null;
  #flushing: Promise<void> | null = null;

  constructor(parts: WritingParts, place: SegmentPlace) {
    this.#parts = parts;
    this.#place = place;
    const header = encodeHeader({ id: place.id, from: place.from, response: place.response });
    this.#offset = bytes(header.length);
    this.#waiting = [header];
  }

  /** Where the content begins in the file. */
  get offset(): Bytes {
    return this.#offset;
  }

  /** Takes a copy. Where it gives a promise, no more is to come before that; it rejects if the disk does not take it. */
  add(chunk: Buffer): Promise<void> | null {
    for (let at = 0; at < chunk.length;) {
      const block = (this.#block ??= Buffer.allocUnsafeSlow(this.#nextBlock()));
      const part = chunk.subarray(at, at + block.length - this.#inBlock);
      block.set(part, this.#inBlock);
      this.#inBlock += part.length;
      this.#length += part.length;
      at += part.length;
      if (this.#inBlock === block.length) this.#endBlock(block);
    }
    if (this.#waitingBytes < gathered) return null;
    if (this.#flushing !== null) return this.#flushing.then(() => this.#beginFlush());
    this.#beginFlush();
    return null;
  }

  /**
   * Rejects if the disk does not take it; then, as at any time before, it is to be discarded.
   * @param ended whether the transfer came to its end
   */
  async finish(ended: boolean): Promise<Segment> {
    if (this.#block !== null && this.#inBlock > 0) this.#endBlock(this.#block.subarray(0, this.#inBlock));
    await this.#flushing;
    const blocks = Buffer.concat(await Promise.all(this.#digests.map(async (digest) => digest)));
    const { id, from, blockSize } = this.#place;
    const length = bytes(this.#length);
    const digest = contentDigest(blocks);
    this.#waiting.push(encodeFooter({ length, ended, blockSize, digest, blocks }));
    await this.#flush();
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

  #nextBlock(): number {
    const { blockSize, expected } = this.#place;
    return expected === null || expected <= this.#length ? blockSize : Math.min(blockSize, expected - this.#length);
  }

  #endBlock(block: Buffer): void {
    this.#block = null;
    this.#inBlock = 0;
    this.#waiting.push(block);
    this.#waitingBytes += block.length;
    const digest = blockDigest(block);
    this.#digests.push(digest);
  }

  /** A failure stays, for whoever waits next. */
  #beginFlush(): void {
    const flushing = this.#flush().then(() => {
      if (this.#flushing === flushing) this.#flushing = null;
    });
    flushing.catch(() => undefined);
    this.#flushing = flushing;
  }

  async #flush(): Promise<void> {
    const chunks = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
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
