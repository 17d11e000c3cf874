import { createHash } from 'node:crypto';
import { bytes, type Bytes } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import { WillisError } from '../../proxy/base/errors.js';
import type { Body } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import { blocksAround, type BlockRange } from '../trust/block-list.js';
import { BlockVerifier } from '../trust/block-verifier.js';
import { NotBelieved } from '../trust/not-believed.js';
import type { Variant } from '../trust/variant.js';
import type { ContentSources, OpenSource } from './content-sources.js';
import { SourceFailed } from './source-failed.js';

export interface VerifiedBodyOptions {
  readonly variant: Variant;
  /** What of it is wanted. */
  readonly from: Bytes;
  readonly to: Bytes;
  /** What a node has begun to send already; null if nobody has, or something else. */
  readonly first: OpenSource | null;
  readonly sources: ContentSources;
  readonly blockList: () => Promise<Uint8Array>;
  readonly onContinued: () => void;
  readonly onBroken: () => void;
}

/**
 * Content of which no byte leaves before its block has been verified, from one source after the other: what breaks, stalls or
 * lies is left, and another one goes on at the first block that was not verified. It holds one block, and gives one.
 */
export class VerifiedBody implements Body {
  readonly length: Bytes;
  readonly trailers = Fields.none;
  readonly #options: VerifiedBodyOptions;
  readonly #range: BlockRange;
  readonly #cancellation = new Cancellation();
  #verifier: BlockVerifier | null = null;
  #list: Uint8Array | null = null;
  #source: OpenSource | null;
  /** Where in the content the next byte is that a source sends. */
  #position: number;
  #pending: Buffer | null = null;
  #ready: Buffer | null = null;
  /** Who sent the first block. */
  #firstFrom: OpenSource['ranked'] | null = null;
  #isOver = false;

  constructor(options: VerifiedBodyOptions) {
    const { variant, from, to, first } = options;
    this.#options = options;
    this.length = bytes(to - from);
    this.#range = blocksAround(variant, from, to);
    this.#position = this.#range.from;
    this.#source = first !== null && begins(first, this.#range) ? first : null;
    if (first !== null && this.#source === null) first.answer.leave();
  }

  /** Who sent what came first; null before that, and for nothing. */
  get firstFrom(): OpenSource['ranked'] | null {
    return this.#firstFrom;
  }

  /** Fulfilled when the first of it is verified. @throws WillisError content-unreachable */
  async ready(): Promise<void> {
    this.#ready ??= await this.#step();
  }

  read(): Buffer | null | Promise<Buffer | null> {
    const chunk = this.#ready;
    if (chunk === null) return this.#isOver ? null : this.#step();
    this.#ready = null;
    return chunk;
  }

  cancel(reason?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#ready = null;
    this.#pending = null;
    this.#cancellation.cancel(reason ?? new DOMException('nobody reads any more', 'AbortError'));
    this.#source?.answer.leave();
    this.#source = null;
  }

  /** The next verified bytes that are wanted; null at the end. */
  async #step(): Promise<Buffer | null> {
    for (;;) {
      if (this.#hasEnded()) return null;
      try {
        const block = await this.#block();
        if (block === null) return null;
        const wanted = this.#wanted(block);
        if (wanted.length > 0) return wanted;
      } catch (error) {
        if (this.#hasEnded()) return null;
        this.#isOver = true;
        this.#options.onBroken();
        throw unreachable(error);
      }
    }
  }

  /** The next verified block; null behind the last one. */
  async #block(): Promise<Uint8Array | null> {
    for (;;) {
      const verifier = await this.#verifierNow();
      if (verifier.next >= this.#range.end) return this.#finish();
      const source = await this.#sourceNow(verifier.next);
      if (this.#hasEnded()) return null;
      try {
        const chunk = await this.#chunk(source);
        const [block] = await verifier.take(chunk);
        if (block === undefined) continue;
        this.#firstFrom ??= source.ranked;
        this.#options.sources.believed(source.ranked);
        return block;
      } catch (error) {
        if (this.#hasEnded()) return null;
        this.#leave(source, error);
      }
    }
  }

  async #verifierNow(): Promise<BlockVerifier> {
    if (this.#verifier !== null) return this.#verifier;
    this.#list ??= await this.#options.blockList();
    return (this.#verifier = this.#verifierFrom(this.#range.first));
  }

  #verifierFrom(first: number): BlockVerifier {
    const { length, blockSize } = this.#options.variant;
    const range = { ...this.#range, first, from: bytes(first * blockSize) };
    return new BlockVerifier({ length, blockSize, list: this.#list ?? none }, sha256, range);
  }

  async #sourceNow(next: number): Promise<OpenSource> {
    if (this.#source !== null) return this.#source;
    const { sources, variant, onContinued } = this.#options;
    const from = bytes(next * variant.blockSize);
    const source = await sources.open(variant, from, this.#range.to, this.#cancellation);
    if (source === null) throw new WillisError('content-unreachable', 'no node is left that goes on with it');
    if (this.#hasEnded()) source.answer.leave();
    else if (this.#firstFrom !== null) onContinued();
    this.#position = from;
    return (this.#source = source);
  }

  /** At most what the block still lacks, so that nothing verified is lost when the next bytes are wrong. */
  async #chunk({ answer }: OpenSource): Promise<Buffer> {
    const chunk = this.#pending ?? (await answer.read());
    if (chunk === null) throw answer.failed('broken', `broke off at byte ${this.#position}`);
    const { blockSize } = this.#options.variant;
    const left = Math.min(this.#range.to, (Math.floor(this.#position / blockSize) + 1) * blockSize) - this.#position;
    this.#pending = chunk.length > left ? chunk.subarray(left) : null;
    const taken = chunk.length > left ? chunk.subarray(0, left) : chunk;
    this.#position += taken.length;
    return taken;
  }

  #leave(source: OpenSource, error: unknown): void {
    const { sources } = this.#options;
    this.#source = null;
    this.#pending = null;
    if (error instanceof NotBelieved) sources.failed(source.ranked, sources.lied(source, error));
    else if (error instanceof SourceFailed) sources.failed(source.ranked, error);
    else {
      source.answer.leave();
      throw error;
    }
    this.#verifier = this.#verifierFrom(this.#verifier?.next ?? this.#range.first);
  }

  /** Whoever sends more than there is has sent what is wanted all the same. */
  #finish(): null {
    this.#isOver = true;
    this.#source?.answer.done();
    this.#source = null;
    return null;
  }

  #wanted(block: Uint8Array): Buffer {
    const { from, to, variant } = this.#options;
    const begin = ((this.#verifier?.next ?? 1) - 1) * variant.blockSize;
    const part = block.subarray(Math.max(0, from - begin), Math.max(0, to - begin));
    return Buffer.from(part.buffer, part.byteOffset, part.length);
  }

  #hasEnded(): boolean {
    return this.#isOver;
  }
}

function unreachable(error: unknown): WillisError {
  if (error instanceof WillisError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new WillisError('content-unreachable', message, { cause: error });
}

/** Whether the bytes begin where the blocks do, and go as far. */
const begins = ({ from, to }: OpenSource, range: BlockRange): boolean => from === range.from && to >= range.to;

const sha256 = (block: Uint8Array): Uint8Array => createHash('sha256').update(block).digest();

const none = new Uint8Array(0);
