import { setImmediate, setTimeout } from 'node:timers/promises';
import { bytes, milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import type { PagePlace } from '../../wlis/search/page-index.js';
import { IndexLost, type SearchEngine } from '../../wlis/search/search-engine.js';
import type { Epoch } from '../../wlis/trust/epoch.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { Edition, HeldNamespace } from '../held-namespace.js';
import { indexableVariant } from './indexable-document.js';
import { IndexedPages, type PageState } from './indexed-pages.js';

export interface IndexedNamespaceOptions {
  readonly namespace: Namespace;
  /** Null while it is not open. */
  readonly held: () => HeldNamespace | null;
  readonly engine: Pick<SearchEngine, 'put' | 'remove' | 'usage'>;
  /** One after the other for all namespaces, so that few pages are in memory. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Pages, be they of other namespaces, that had to make room. */
  readonly onDisplaced: (places: readonly PagePlace[]) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Of longer pages the beginning is read. */
const longestRead = bytes(2 * 1024 * 1024);
/** So many changes are looked at in one turn. */
const slice = 128;
/** Longest pause between two pages. */
const longestPause = 250;

/**
 * Keeps the pages of a namespace in an index, as the editions of it say: the changes since the last one are followed, and
 * contents are read that are here. Takes at most about half of the time of a processor.
 */
export class IndexedNamespace {
  readonly #options: IndexedNamespaceOptions;
  readonly #pages = new IndexedPages();
  readonly #stopping = new AbortController();
  /** Up to where changes were followed. */
  #position: { readonly epoch: Epoch; readonly seq: number } | null = null;
  #isWanted = false;
  #running: Promise<void> | null = null;
  /** How much there was in the index when a page found no room. */
  #fullAt = Infinity;

  constructor(options: IndexedNamespaceOptions) {
    this.#options = options;
  }

  get counts(): Readonly<Record<PageState, number>> {
    return this.#pages.counts;
  }

  /** Whether everything that the edition has and that can be found is found. */
  get isComplete(): boolean {
    const { pending, lacking, leftOut } = this.#pages.counts;
    const head = this.#options.held()?.edition?.head.head;
    const isCurrent = head !== undefined && this.#position?.epoch === head.epoch && this.#position.seq >= head.seq;
    return isCurrent && pending + lacking + leftOut === 0;
  }

  /** There may be something to do. */
  wake(): void {
    this.#isWanted = true;
    if (this.#stopping.signal.aborted) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      if (this.#isWanted) this.wake();
    });
  }

  /** Fulfilled when nothing is to be done for now. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  /** A page had to make room. */
  displaced(path: string): void {
    this.#pages.displaced(path);
    this.#noteFull();
  }

  /** There is more room than before. */
  haveRoom(): void {
    this.#fullAt = Infinity;
    this.wake();
  }

  /** Nothing of it is in the index any more. */
  lost(): void {
    this.#fullAt = Infinity;
    this.#pages.begin();
    this.wake();
  }

  /** Waits for what was begun. What is in the index stays there. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#isWanted = false;
    await this.#running;
  }

  async #run(): Promise<void> {
    // whatever else this turn brings comes in as well
    await setImmediate();
    try {
      while (!this.#stopping.signal.aborted) {
        const held = this.#options.held();
        if (this.#isWanted && !(await this.#follow(held))) return;
        if (held === null || !(await this.#step(held))) return;
      }
    } catch (error) {
      if (this.#stopping.signal.aborted || error instanceof IndexLost) return;
      const { logger, namespace } = this.#options;
      logger.error({ code: 'search-failed', namespace, error }, 'the pages of a namespace cannot be indexed');
    }
  }

  /** @returns whether there is an edition */
  async #follow(held: HeldNamespace | null): Promise<boolean> {
    this.#isWanted = false;
    const edition = held?.edition ?? null;
    if (held === null || edition === null) return false;
    const { epoch } = edition.head.head;
    if (this.#position?.epoch !== epoch || !(await this.#followChanges(edition))) await this.#compare(edition);
    this.#pages.retryLacking((variant) => held.content.has(variant));
    return true;
  }

  /** @returns whether they could be followed */
  async #followChanges({ head, list }: Edition): Promise<boolean> {
    const { epoch } = head.head;
    while (this.#position !== null) {
      const since = list.since(this.#position.seq, slice);
      if (since.kind !== 'changes') return false;
      for (const { path, document } of since.changes) this.#pages.note(path, indexableVariant(path, document), true);
      this.#position = { epoch, seq: since.upTo };
      if (since.upTo >= list.last) return true;
      await this.#rest();
    }
    return false;
  }

  /** Looks at all that there is, without reading anything of it. */
  async #compare({ head, list }: Edition): Promise<void> {
    // what is changed meanwhile is followed next
    const seq = list.last;
    let count = 0;
    for (const { path, document } of list.changes()) {
      this.#pages.note(path, indexableVariant(path, document), false);
      if (++count % slice === 0) await this.#rest();
    }
    for (const path of [...this.#pages.paths]) {
      if ((list.latest(path)?.document ?? null) === null) this.#pages.note(path, null, false);
    }
    this.#position = { epoch: head.head.epoch, seq };
    this.#isWanted = true;
  }

  /** Does one thing that is to be done. @returns whether there was one */
  async #step(held: HeldNamespace): Promise<boolean> {
    const { engine, namespace } = this.#options;
    const gone = this.#pages.nextGone();
    if (gone !== undefined) {
      await engine.remove({ namespace, path: gone });
      return true;
    }
    const path = this.#pages.next() ?? this.#nextLeftOut();
    if (path === undefined) return false;
    const variant = indexableVariant(path, held.edition?.list.latest(path)?.document ?? null);
    // it is another one than was noted: the changes since then are to be followed first
    if (variant === null) this.#pages.note(path, null, false);
    else await this.#index(held, path, variant);
    return true;
  }

  async #index(held: HeldNamespace, path: string, variant: Variant): Promise<void> {
    this.#pages.note(path, variant, false);
    if (!held.content.has(variant)) {
      this.#pages.settle(path, variant, 'lacking');
      return;
    }
    const { inTurn, clock } = this.#options;
    const took = await inTurn(async () => {
      if (this.#stopping.signal.aborted) return 0;
      const since = clock.monotonic();
      await this.#take(held, path, variant);
      return pauseAfter(since, clock.monotonic());
    });
    // others have work as well
    if (took > 0) await setTimeout(took, undefined, { signal: this.#stopping.signal, ref: false });
  }

  async #take(held: HeldNamespace, path: string, variant: Variant): Promise<void> {
    const { engine, namespace, logger, onDisplaced } = this.#options;
    let content: Uint8Array<ArrayBuffer>;
    try {
      content = await contentOf(held, variant, this.#stopping.signal);
    } catch (error) {
      logger.debug({ code: 'page-not-read', namespace, path, error }, 'a page cannot be indexed for now');
      this.#pages.settle(path, variant, 'lacking');
      return;
    }
    const { digest, type, coding } = variant;
    const outcome = await engine.put({ namespace, path, digest, type: type ?? '', coding }, content);
    if (this.#stopping.signal.aborted) return;
    this.#pages.settle(path, variant, states[outcome.kind]);
    if (outcome.kind === 'left-out') this.#noteFull();
    if (outcome.kind === 'indexed' && outcome.displaced.length > 0) onDisplaced(outcome.displaced);
  }

  #noteFull(): void {
    this.#fullAt = this.#options.engine.usage.bytes;
  }

  /** What was left out is tried again where much has gone since. */
  #nextLeftOut(): string | undefined {
    const { bytes: used, limit } = this.#options.engine.usage;
    if (this.#pages.counts.leftOut === 0 || used > limit * roomy || used > this.#fullAt * roomy) return undefined;
    this.#pages.retryLeftOut();
    return this.#pages.next();
  }

  async #rest(): Promise<void> {
    await setImmediate();
    this.#stopping.signal.throwIfAborted();
  }
}

const states = { indexed: 'indexed', 'left-out': 'leftOut', unwanted: 'refused', unreadable: 'refused' } as const;

const roomy = 0.9;

const pauseAfter = (since: MonotonicMs, now: MonotonicMs): number =>
  Math.min(longestPause, milliseconds(Math.max(0, now - since)));

/** In memory of its own, which can be handed to another thread. */
async function contentOf(
  { content }: HeldNamespace,
  variant: Variant,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const length = Math.min(variant.length, longestRead);
  const whole = new Uint8Array(length);
  let at = 0;
  const pieces = content.read(variant, bytes(0), bytes(length))[Symbol.asyncIterator]();
  // whether it ends well is nobody's concern any more
  const end = (): void => void Promise.resolve(pieces.return?.()).catch(() => undefined);
  signal.addEventListener('abort', end, { once: true });
  try {
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
      whole.set(next.value.subarray(0, length - at), at);
      at += Math.min(next.value.length, length - at);
    }
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
  if (at < length) throw new Error(`${at} of ${length} bytes`);
  return whole;
}
