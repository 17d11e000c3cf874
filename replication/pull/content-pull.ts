import { bytes, type Bytes } from '../../config/units.js';
import { blocksAround, SMALLEST_BLOCK } from '../../wlis/trust/block-list.js';
import { digestBytes } from '../../wlis/trust/digest.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { once } from '../blob-content.js';
import type { BlobDraft, DraftedContent } from '../blob-draft.js';
import { BlobStoreError } from '../blob-store-error.js';
import type { BlobStore } from '../blob-store.js';
import { BlockPlan, type BlockStep, type HeldBlocks } from './block-plan.js';
import { sourcedBlockList, sourcedBlocks, type PullSettings, type PullSources } from './sourced-blocks.js';

export interface ContentSources extends PullSources {
  /** So many bytes need not come, since they are here. */
  readonly onSpared: (size: Bytes) => void;
}

export interface ContentPullOptions {
  readonly store: BlobStore;
  readonly settings: PullSettings;
  readonly content: DraftedContent;
  /** Contents that may have blocks in common with it, as older variants of the same document do; those that are here count. */
  readonly relatives: readonly DraftedContent[];
  readonly from: ContentSources;
}

/** Of how many contents blocks are looked for. */
const mostRelatives = 8;

/**
 * Gets one content into the store: what is here already, in whatever content, is copied; the rest comes in ranges as long as
 * possible. What it has got stays in the store when it ends early, and the next pull of it goes on there.
 */
export class ContentPull {
  readonly #options: ContentPullOptions;
  #draft: BlobDraft | null = null;
  #position = bytes(0);
  #moved = deferred();

  constructor(options: ContentPullOptions) {
    this.#options = options;
  }

  /** How much is there, in whole blocks. */
  get position(): Bytes {
    return this.#position;
  }

  /** Fulfilled when `position` is another one. */
  get moved(): Promise<void> {
    return this.#moved.promise;
  }

  /** A block below `position`, verified; null once it is to be read from the store. @throws BlobStoreError damaged */
  async block(number: number): Promise<Buffer | null> {
    const draft = this.#draft;
    if (draft === null) return null;
    try {
      return await draft.block(number);
    } catch (error) {
      if (this.#draft !== draft) return null;
      throw error;
    }
  }

  /**
   * Fulfilled when the content is in the store. To be called once.
   * @throws NoSource; BlobStoreError full, in-use, unusable; NotBelieved if no content can be as the record says; what the
   * signal has as its reason
   */
  async run(signal: AbortSignal): Promise<void> {
    const { store, content } = this.#options;
    const length = store.lengthOf(content.digest);
    if (length === undefined) return content.length <= SMALLEST_BLOCK ? this.#short(signal) : this.#long(signal);
    if (length !== content.length) {
      throw new NotBelieved('malformed', `${content.digest} has ${length} bytes, not ${content.length}`);
    }
  }

  async #short(signal: AbortSignal): Promise<void> {
    const { store, settings, content, from } = this.#options;
    const { digest, length } = content;
    const range = blocksAround(content, bytes(0), length);
    let whole: Buffer = Buffer.alloc(0);
    for await (const block of sourcedBlocks(content, digestBytes(digest), range, from, settings, signal)) whole = block;
    const stored = await store.put(once(whole), length);
    if (stored.digest !== digest) throw new NotBelieved('wrong-digest', `${digest} is not the digest of no bytes`);
  }

  async #long(signal: AbortSignal): Promise<void> {
    const { store, settings, content, from } = this.#options;
    const list = (await this.#listOf(content)) ?? (await sourcedBlockList(content, from, settings, signal));
    const draft = await store.resume(content, list, signal);
    try {
      this.#draft = draft;
      this.#move();
      const plan = new BlockPlan(list, await this.#relatives());
      while (!draft.isWhole) {
        signal.throwIfAborted();
        await this.#take(draft, plan, list, signal);
      }
      this.#draft = null;
      await draft.complete();
    } finally {
      this.#draft = null;
      await draft.close();
      this.#move();
    }
  }

  async #take(draft: BlobDraft, plan: Plan, list: Buffer, signal: AbortSignal): Promise<void> {
    const { content, from, settings } = this.#options;
    const step = plan.stepAt(draft.next);
    if (step.kind === 'here') return this.#copy(draft, plan, step);
    if (step.kind === 'again') return this.#repeat(draft, step.at);
    const range = blocksAround(content, draft.position, bytes((draft.next + step.count) * content.blockSize));
    for await (const block of sourcedBlocks(content, list, range, from, settings, signal)) {
      await draft.append(block);
      this.#move();
    }
  }

  /** If it turns out not to be there, others may have it. */
  async #copy(draft: BlobDraft, plan: Plan, step: BlockStep<DraftedContent> & { kind: 'here' }): Promise<void> {
    const { digest, blocks, blockSize, length } = step.content;
    const range = blocksAround(step.content, bytes(step.at * blockSize), bytes((step.at + step.count) * blockSize));
    try {
      for await (const block of this.#options.store.read(
        digest,
        range.from,
        bytes(Math.min(range.to, length)),
        blocks,
      )) {
        await draft.append(block);
        this.#options.from.onSpared(bytes(block.length));
        this.#move();
      }
    } catch (error) {
      if (!(error instanceof BlobStoreError) || !['missing', 'damaged'].includes(error.fault)) throw error;
      plan.forget(step.content);
    }
  }

  async #repeat(draft: BlobDraft, at: number): Promise<void> {
    const block = await draft.block(at);
    await draft.append(block);
    this.#options.from.onSpared(bytes(block.length));
    this.#move();
  }

  async #relatives(): Promise<HeldBlocks<DraftedContent>[]> {
    const { store, content, relatives } = this.#options;
    const held: HeldBlocks<DraftedContent>[] = [];
    for (const relative of relatives) {
      if (held.length === mostRelatives) break;
      if (store.lengthOf(relative.digest) !== relative.length || relative.blockSize !== content.blockSize) continue;
      const isSingle = relative.length <= SMALLEST_BLOCK;
      const list = isSingle ? digestBytes(relative.digest) : await this.#listOf(relative);
      if (list !== null) held.push({ content: relative, list });
    }
    return held;
  }

  /** From the store; null if it is not there. */
  async #listOf({ blocks }: DraftedContent): Promise<Buffer | null> {
    try {
      return await this.#options.store.readWhole(blocks);
    } catch (error) {
      if (error instanceof BlobStoreError && ['missing', 'damaged'].includes(error.fault)) return null;
      throw error;
    }
  }

  #move(): void {
    this.#position = this.#draft?.position ?? this.#position;
    const before = this.#moved;
    this.#moved = deferred();
    before.resolve();
  }
}

type Plan = BlockPlan<DraftedContent>;

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((fulfil) => (resolve = fulfil));
  return { promise, resolve };
}
