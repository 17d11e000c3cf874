import type { Config } from '../../../config/schema.js';
import { bytes, type Bytes } from '../../../config/units.js';
import type { HeldNamespace } from '../../../replication/held-namespace.js';
import { IndexedNamespace } from '../../../replication/search/indexed-namespace.js';
import type { Namespace } from '../../../wlis/namespace.js';
import type { PagePlace } from '../../../wlis/search/page-index.js';
import type { SearchAnswer, SearchControl, SearchedNamespace } from '../../../wlis/search/search-control.js';
import { SearchBusy, SearchEngine } from '../../../wlis/search/search-engine.js';
import type { SearchQuery } from '../../../wlis/search/search-query.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { ReplicationLayer } from '../replication/replication-layer.js';
import { SearchCounts, type SearchFigures } from './search-figures.js';

export interface SearchLayerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly namespaces: Pick<ReplicationLayer, 'entries' | 'settled'>;
}

/** Where browsers see pages that are held here; null where they see none. */
export type MirrorOf = SearchControl['mirrorOf'];

/** What nobody tells of is looked for so often: that a namespace was opened, or that its primary has changed its mind. */
const lookEvery = 1000;

/**
 * Keeps the pages in an index that this node holds and that may be searched, as its configuration and what primaries say
 * changes. There is an index while there is something to be in it.
 */
export class SearchLayer implements SearchControl {
  readonly counts = new SearchCounts();
  readonly #options: SearchLayerOptions;
  readonly #followed = new Map<Namespace, Followed>();
  #limit: Bytes = bytes(0);
  #mirrorOf: MirrorOf = () => null;
  #engine: SearchEngine | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** Those that are no longer followed, until they have ended. */
  #leaving: Promise<unknown> = Promise.resolve();
  #turn: Promise<unknown> = Promise.resolve();
  #isFull = false;
  #lossesBefore = 0;
  #isStopped = false;
  /** Those that are being taken out of the index. */
  readonly #dropping = new Set<Namespace>();

  constructor(options: SearchLayerOptions) {
    this.#options = options;
  }

  get isOn(): boolean {
    return this.#limit > 0;
  }

  get namespaces(): readonly SearchedNamespace[] {
    return [...this.#followed.keys()].filter((one) => this.#mayBeSearched(one)).map((one) => this.#standing(one));
  }

  get figures(): SearchFigures {
    const all = [...this.#followed.values()].map(({ pages }) => pages.counts);
    const sum = (state: keyof (typeof all)[number]): number => all.reduce((total, counts) => total + counts[state], 0);
    return {
      ...{ indexed: sum('indexed'), pending: sum('pending'), lacking: sum('lacking') },
      ...{ leftOut: sum('leftOut'), refused: sum('refused'), namespaces: this.#followed.size },
      bytes: this.#engine?.usage.bytes ?? bytes(0),
      limit: this.#limit,
      lost: this.#lossesBefore + (this.#engine?.losses ?? 0),
    };
  }

  mirrorOf(place: PagePlace): string | null {
    return this.#mirrorOf(place);
  }

  /** Cannot fail; what follows from it is done behind other work. */
  configure({ roles, wlis }: Pick<Config, 'roles' | 'wlis'>, mirrorOf: MirrorOf): void {
    this.#mirrorOf = mirrorOf;
    const limit = roles.includes('wlis') ? wlis.search.memory : bytes(0);
    const before = this.#limit;
    this.#limit = limit;
    clearInterval(this.#timer);
    this.#timer = limit > 0 ? setInterval(() => this.look(), lookEvery).unref() : undefined;
    if (limit !== before && limit > 0) this.#resize(limit, before);
    this.look();
    if (limit > 0) void this.#options.namespaces.settled().then(() => this.look());
  }

  /** Follows what may be searched, and nothing else. */
  look(): void {
    if (this.#isStopped) return;
    for (const namespace of [...this.#followed.keys()]) if (!this.#mayBeSearched(namespace)) this.#forget(namespace);
    if (this.isOn) for (const [namespace] of this.#options.namespaces.entries) this.#follow(namespace);
    if (this.#followed.size === 0) this.#close();
  }

  async search(query: SearchQuery, namespaces: readonly Namespace[], signal: AbortSignal): Promise<SearchAnswer> {
    const searched = this.namespaces.filter((one) => namespaces.includes(one.namespace));
    const wanted = searched.map((one) => one.namespace);
    const since = this.#options.clock.monotonic();
    try {
      const nothing = { match: 'all', total: 0, pages: [] } as const;
      const found = (await this.#engine?.search(query, wanted, signal)) ?? nothing;
      this.counts.answered(found.total > 0, since, this.#options.clock.monotonic());
      // what may not be searched any more since then is not told
      const pages = found.pages.filter((page) => this.#mayBeSearched(page.namespace));
      return { ...found, pages, namespaces: searched };
    } catch (error) {
      this.counts.failed(error instanceof SearchBusy ? 'busy' : 'failed');
      throw error;
    }
  }

  /** Fulfilled when nothing is to be done for now. */
  async idle(): Promise<void> {
    await this.#leaving;
    await Promise.all([...this.#followed.values()].map(({ pages }) => pages.idle()));
    await this.#leaving;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    for (const namespace of [...this.#followed.keys()]) this.#forget(namespace);
    this.#close();
    await this.#leaving;
  }

  /** Now, whatever is in the index yet. */
  #mayBeSearched(namespace: Namespace): boolean {
    return this.isOn && this.#heldOf(namespace)?.policy.search === true;
  }

  #heldOf(namespace: Namespace): HeldNamespace | null {
    return this.#options.namespaces.entries.get(namespace)?.open?.held ?? null;
  }

  #standing(namespace: Namespace): SearchedNamespace {
    const { counts, isComplete } = (this.#followed.get(namespace) as Followed).pages;
    const { indexed, pending, lacking, leftOut } = counts;
    return { namespace, pages: indexed + pending + lacking + leftOut, indexed, isComplete };
  }

  #follow(namespace: Namespace): void {
    if (!this.#mayBeSearched(namespace) || this.#dropping.has(namespace)) return;
    const held = this.#heldOf(namespace) as HeldNamespace;
    const followed = this.#followed.get(namespace) ?? {
      pages: this.#pagesOf(namespace),
      held: null,
      unfollow: nothing,
    };
    this.#followed.set(namespace, followed);
    if (followed.held === held) return;
    // it was opened, perhaps anew
    followed.unfollow();
    followed.held = held;
    followed.unfollow = held.onEdition(() => followed.pages.wake());
    followed.pages.wake();
  }

  #pagesOf(namespace: Namespace): IndexedNamespace {
    const { clock, logger } = this.#options;
    const engine = this.#open();
    return new IndexedNamespace({
      ...{ namespace, clock, logger, engine, held: () => this.#heldOf(namespace) },
      inTurn: (work) => this.#inTurn(work),
      onDisplaced: (places) => this.#displaced(places),
    });
  }

  #forget(namespace: Namespace): void {
    const followed = this.#followed.get(namespace);
    if (followed === undefined) return;
    this.#followed.delete(namespace);
    followed.unfollow();
    const engine = this.#engine;
    this.#dropping.add(namespace);
    const ended = followed.pages.stop().then(() => engine?.drop(namespace));
    const dropped = ended.catch(nothing).then(() => {
      this.#dropping.delete(namespace);
      this.#haveRoom();
    });
    this.#leaving = Promise.all([this.#leaving, dropped]);
  }

  #open(): SearchEngine {
    if (this.#engine !== null) return this.#engine;
    const engine = new SearchEngine({ limit: this.#limit, logger: this.#options.logger });
    this.#engine = engine;
    engine.onLost(() => {
      for (const { pages } of this.#followed.values()) pages.lost();
    });
    return engine;
  }

  #close(): void {
    const engine = this.#engine;
    this.#engine = null;
    this.#isFull = false;
    if (engine === null) return;
    this.#lossesBefore += engine.losses;
    this.#leaving = Promise.all([this.#leaving, engine.stop()]);
  }

  #resize(limit: Bytes, before: Bytes): void {
    const resized = this.#engine?.resize(limit).then((displaced) => {
      this.#displaced(displaced);
      if (limit > before) this.#haveRoom();
    });
    this.#leaving = Promise.all([this.#leaving, resized?.catch(nothing)]);
  }

  #haveRoom(): void {
    for (const { pages } of this.#followed.values()) if (pages.counts.leftOut > 0) pages.haveRoom();
    this.#isFull = [...this.#followed.values()].some(({ pages }) => pages.counts.leftOut > 0);
  }

  #displaced(places: readonly PagePlace[]): void {
    for (const { namespace, path } of places) this.#followed.get(namespace)?.pages.displaced(path);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.then(() => this.#tellIfFull(), nothing);
    return done;
  }

  /** Once, until there is room again. */
  #tellIfFull(): void {
    const { leftOut, indexed, limit } = this.figures;
    const wasFull = this.#isFull;
    this.#isFull = leftOut > 0;
    if (wasFull || !this.#isFull) return;
    const event = { code: 'search-full', indexed, limit };
    this.#options.logger.warn(event, 'the index of pages is full: those that lie deepest cannot be searched');
  }
}

const nothing = (): void => undefined;

interface Followed {
  readonly pages: IndexedNamespace;
  held: HeldNamespace | null;
  /** Ends that its editions are followed. */
  unfollow: () => void;
}
