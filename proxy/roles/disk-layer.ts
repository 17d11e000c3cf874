import { join } from 'node:path';
import type { Config } from '../../config/schema.js';
import { milliseconds } from '../../config/units.js';
import type { StoreControl, StoreReport } from '../admin/store-control.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { uriOfKey, type CacheKey } from '../cache/cache-key.js';
import type { UnwellReason } from '../cache/disk/disk-health.js';
import { DiskStore } from '../cache/disk/disk-store.js';
import type { DiskParts, ReportOptions } from '../cache/disk/disk-report.js';
import { DiskStoreError } from '../cache/disk/disk-store-error.js';
import type { DiskUpkeep } from '../cache/disk/disk-upkeep.js';
import type { InvalidationOrder } from '../cache/invalidation-marks.js';
import type { PinsFull } from '../cache/pins-full.js';
import type { StoreUsage } from '../cache/response-store.js';
import type { Retention } from '../cache/retention.js';
import type { StoreLayers } from '../cache/store-layers.js';
import type { PinsFullReports } from './pins-full-reports.js';
import { RefusedConfiguration } from './refused-configuration.js';
import { refuseTooSmall } from './room-for-pins.js';

export interface DiskLayerOptions {
  readonly store: StoreLayers;
  /** That of the store in memory. */
  readonly order: InvalidationOrder;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pins: PinsFullReports;
}

/** A disk as another configuration wants it, or none. One of both methods is to be called. */
export interface PreparedDisk {
  /** Cannot fail. */
  commit(): void;
  abandon(): Promise<void>;
}

/** How a store on disk fares. */
export interface DiskState {
  readonly isWell: boolean;
  /** Stored responses that could not be read, or not be trusted, since the node was started. */
  readonly lost: number;
  /** What counts against its limit. */
  readonly parts: DiskParts;
  /** Stored responses of which some bytes are missing; null if that is not known. */
  readonly partial: number | null;
  /** Body files that are to be deleted. */
  readonly deletedFiles: number;
}

type DiskConfig = Pick<Config, 'node' | 'cache'>;

/** Where a node has its stored responses on disk. */
export const storeDirectory = ({ node }: Pick<Config, 'node'>): string => join(node.data, 'store');

/** So long a start waits for an index that has to be repaired; then the node serves without its disk until that is done. */
const mostPatience = milliseconds(1000);

/** What the log says of a store on disk that is unwell: only what nobody has asked for is a failure. */
const unwell: Readonly<Record<UnwellReason, { readonly level: 'info' | 'warn' | 'error'; readonly words: string }>> = {
  failing: { level: 'error', words: 'the disk fails' },
  repairing: { level: 'warn', words: 'the index on disk is being opened or repaired' },
  ordered: { level: 'info', words: 'the index on disk is being made anew by order of the operator' },
};

/** The store on disk of a node, as its configuration changes. */
export class DiskLayer implements StoreControl {
  readonly #options: DiskLayerOptions;
  #directory: string | null = null;
  /** Disks that are no longer in use, until they are closed. */
  readonly #closing = new Map<string, Promise<void>>();
  #lost = 0;

  constructor(options: DiskLayerOptions) {
    this.#options = options;
  }

  /** What the layers of the store hold, by their names. */
  usages(): (readonly [layer: string, usage: StoreUsage])[] {
    const { memory, disk } = this.#options.store;
    return disk === null
      ? [['memory', memory.usage()]]
      : [
          ['memory', memory.usage()],
          ['disk', disk.usage()],
        ];
  }

  /** Null if there is no disk. */
  state(): DiskState | null {
    const { disk } = this.#options.store;
    return disk && { isWell: disk.isWell, lost: this.#lost, ...disk.upkeep.state() };
  }

  async report(options: ReportOptions): Promise<StoreReport> {
    const { memory, disk } = this.#options.store;
    const report = disk && { ...(await disk.upkeep.report(options)), lost: this.#lost };
    return { memory: memory.usage(), disk: report };
  }

  get upkeep(): DiskUpkeep | null {
    return this.#options.store.disk?.upkeep ?? null;
  }

  /** Opens what is not open yet, and changes nothing. @throws RefusedConfiguration */
  async prepare(config: DiskConfig, retention: Retention): Promise<PreparedDisk> {
    const { store } = this.#options;
    const { memory, disk: limit } = config.cache;
    const directory = limit === null ? null : storeDirectory(config);
    refuseTooSmall('cache.memory', memory, store.memory.classes(), retention);
    if (directory === this.#directory) {
      if (limit !== null) refuseTooSmall('cache.disk', limit, store.disk?.classes() ?? [], retention);
      return { commit: () => void this.#resize(config), abandon: () => Promise.resolve() };
    }
    const disk = directory === null ? null : await this.#open(directory, config, retention);
    return {
      commit: () => {
        const [before, path] = [store.replaceDisk(disk), this.#directory];
        this.#directory = directory;
        if (before !== null && path !== null) this.#letGo(before, path);
      },
      abandon: async () => disk?.close(),
    };
  }

  /** Fulfilled when all disks that are no longer in use are closed. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing.values());
  }

  async #open(directory: string, config: DiskConfig, retention: Retention): Promise<DiskStore> {
    const disk = await this.#openAt(directory, config, retention);
    try {
      refuseTooSmall('cache.disk', disk.usage().limit, disk.classes(), retention);
      return disk;
    } catch (error) {
      await disk.close();
      throw error;
    }
  }

  async #openAt(directory: string, { node, cache }: DiskConfig, retention: Retention): Promise<DiskStore> {
    const { clock, order, store } = this.#options;
    const { disk, maxDocument, variants } = cache;
    if (disk === null) throw new Error('there is to be no disk');
    await this.#closing.get(directory);
    try {
      return await DiskStore.open({
        ...{ directory, limit: disk, maxDocument, variants, clock, order, retention },
        isUsed: (key) => store.memory.peek(key).length > 0,
        patience: mostPatience,
        ...this.#reports(directory),
      });
    } catch (error) {
      const isTaken = error instanceof DiskStoreError && error.fault === 'in-use';
      const expected = isTaken ? 'a directory that no other node uses' : 'a directory for a store';
      const got = `${node.data} (${error instanceof Error ? error.message : String(error)})`;
      throw new RefusedConfiguration([{ key: 'node.data', expected, got }], { cause: error });
    }
  }

  #reports(directory: string) {
    const { logger } = this.#options;
    return {
      onUnwell: (error: unknown, reason: UnwellReason) => {
        const { level, words } = unwell[reason];
        logger[level]({ code: 'disk-unwell', directory, reason, error }, `${words}; the store goes on in memory`);
      },
      onWell: () => logger.info({ code: 'disk-recovered', directory }, 'the disk is in use again'),
      onPinsFull: (full: PinsFull) => this.#options.pins.refused('disk', full),
      onNotice: (detail: string) => logger.warn({ code: 'disk-notice', directory, detail }, 'store on disk'),
      onLost: (key: CacheKey, error: unknown) => {
        this.#lost++;
        const uri = uriOfKey(key);
        logger.warn({ code: 'disk-response-lost', uri, error }, 'a stored response could not be read and is forgotten');
      },
    };
  }

  async #resize({ cache }: DiskConfig): Promise<void> {
    const { disk: limit, maxDocument, variants } = cache;
    if (limit !== null) await this.#options.store.disk?.resize({ limit, maxDocument, variants });
  }

  #letGo(disk: DiskStore, directory: string): void {
    const closed = (async () => {
      await disk.distrust();
      await disk.close();
    })()
      .catch((error: unknown) =>
        this.#options.logger.error({ code: 'disk-not-closed', directory, error }, 'a store on disk was not closed'),
      )
      .finally(() => this.#closing.delete(directory));
    this.#closing.set(directory, closed);
  }
}
