import { bytes, type Bytes } from '../../config/units.js';
import { blocksAround, SMALLEST_BLOCK } from '../../wlis/trust/block-list.js';
import { digestBytes, type Digest } from '../../wlis/trust/digest.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { DraftedContent } from '../blob-draft.js';
import { BlobStoreError } from '../blob-store-error.js';
import type { BlobStore } from '../blob-store.js';
import type { DocumentContent } from '../held-namespace.js';
import type { ContentSources } from './content-pull.js';
import { orAborted, type ContentPulls, type SharedPull } from './content-pulls.js';
import { sourcedBlockList, sourcedBlocks } from './sourced-blocks.js';

export interface FetchedContentOptions extends ContentSources {
  readonly store: BlobStore;
  readonly pulls: ContentPulls;
  /** Whether what is fetched is to stay in the store, as far as there is room; otherwise it only passes. */
  readonly isKept: (variant: Variant) => boolean;
  /** Something in the store is damaged or gone; it is fetched instead. */
  readonly onDamaged: (error: BlobStoreError, variant: Variant) => void;
  /** Contents that may have blocks in common with one that is kept. */
  readonly relativesOf: (variant: Variant) => readonly DraftedContent[];
}

/** A range that begins so far ahead of what has come of a content that is kept is fetched by itself. */
const farAhead = 4 * 1024 * 1024;
/** Block lists of contents that only pass. */
const mostLists = 64;

/**
 * The bytes of documents, from the store or else from other nodes, each block verified before it is given. Who stops reading
 * ends what was fetched for him alone.
 */
export class FetchedContent implements DocumentContent {
  readonly #options: FetchedContentOptions;
  readonly #lists = new Map<Digest, Buffer>();

  constructor(options: FetchedContentOptions) {
    this.#options = options;
  }

  has({ digest, length }: Variant): boolean {
    return this.#options.store.lengthOf(digest) === length;
  }

  /** @throws BlobStoreError damaged, unusable; NoSource; NotBelieved if no content can be as the record says */
  read(variant: Variant, from: Bytes, to: Bytes): AsyncIterable<Buffer> {
    return endingAtOnce((signal) => this.#read(variant, from, bytes(Math.min(to, variant.length)), signal));
  }

  async *#read(variant: Variant, from: Bytes, to: Bytes, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { pulls, isKept } = this.#options;
    if (from >= to) return;
    const isFar = from > pulls.positionOf(variant.digest) + farAhead;
    if (this.has(variant)) yield* this.#stored(variant, from, to, signal);
    else if (isKept(variant) && !isFar) yield* this.#kept(variant, from, to, signal);
    else yield* this.#passing(variant, from, to, signal);
  }

  /** What turns out to be damaged is no reason not to answer. */
  async *#stored(variant: Variant, from: Bytes, to: Bytes, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { store, onDamaged } = this.#options;
    let at: number = from;
    try {
      for await (const piece of store.read(variant.digest, from, to, variant.blocks)) {
        at += piece.length;
        yield piece;
      }
    } catch (error) {
      if (!(error instanceof BlobStoreError) || !['missing', 'damaged'].includes(error.fault)) throw error;
      onDamaged(error, variant);
      yield* this.#passing(variant, bytes(at), to, signal);
    }
  }

  /** Reads behind a pull into the store, which all who read it share. */
  async *#kept(variant: Variant, from: Bytes, to: Bytes, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { pulls, relativesOf } = this.#options;
    const shared = await pulls.join(variant, relativesOf(variant), this.#options, signal);
    try {
      yield* this.#behind(shared, variant, from, to, signal);
    } finally {
      await shared.leave();
    }
  }

  async *#behind(
    { pull, done }: SharedPull,
    variant: Variant,
    from: Bytes,
    to: Bytes,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    const { blockSize, length } = variant;
    let at: number = from;
    try {
      while (at < to) {
        const number = Math.floor(at / blockSize);
        const start = number * blockSize;
        const { moved } = pull;
        const isThere = pull.position >= Math.min(length, start + blockSize);
        const block = isThere ? await pull.block(number) : null;
        if (block !== null) {
          const piece = block.subarray(at - start, to - start);
          at += piece.length;
          yield piece;
          continue;
        }
        if (this.has(variant)) {
          yield* this.#stored(variant, bytes(at), to, signal);
          return;
        }
        const isDone = await orAborted(Promise.race([moved.then(() => false), done.then(() => true)]), signal);
        if (isDone && !this.has(variant)) throw new BlobStoreError('missing', `blob ${variant.digest} has gone again`);
      }
    } catch (error) {
      // that it cannot be kept now is no reason not to give it
      if (!(error instanceof BlobStoreError) || !['full', 'in-use'].includes(error.fault)) throw error;
      yield* this.#passing(variant, bytes(at), to, signal);
    }
  }

  async *#passing(variant: Variant, from: Bytes, to: Bytes, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { settings } = this.#options.pulls;
    const list = await this.#listOf(variant, signal);
    const range = blocksAround(variant, from, to);
    let start: number = range.from;
    for await (const block of sourcedBlocks(variant, list, range, this.#options, settings, signal)) {
      yield block.subarray(Math.max(0, from - start), to - start);
      start += block.length;
    }
  }

  async #listOf(variant: Variant, signal: AbortSignal): Promise<Uint8Array> {
    const { store, pulls } = this.#options;
    if (variant.length <= SMALLEST_BLOCK) return digestBytes(variant.digest);
    const known = this.#lists.get(variant.blocks);
    if (known !== undefined) return known;
    if (store.has(variant.blocks)) return store.readWhole(variant.blocks);
    const list = await sourcedBlockList(variant, this.#options, pulls.settings, signal);
    this.#lists.set(variant.blocks, list);
    for (const oldest of this.#lists.keys()) if (this.#lists.size > mostLists) this.#lists.delete(oldest);
    return list;
  }
}

/** What is read ends when nobody reads it any more, also while something is waited for. */
function endingAtOnce(open: (signal: AbortSignal) => AsyncGenerator<Buffer>): AsyncIterable<Buffer> {
  return {
    [Symbol.asyncIterator]() {
      const ending = new AbortController();
      const inner = open(ending.signal);
      return {
        next: () => inner.next(),
        return: () => {
          ending.abort(new DOMException('nobody reads it any more', 'AbortError'));
          return inner.return(undefined);
        },
      };
    },
  };
}
