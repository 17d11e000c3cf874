import type { Bytes, EpochMs } from '../../config/units.js';
import { WillisError } from '../base/errors.js';
import type { Body } from '../http/body.js';
import type { CacheKey } from './cache-key.js';
import { DiskResponse } from './disk/disk-response.js';
import type { DiskStore } from './disk/disk-store.js';
import type { MemoryStore } from './memory-store.js';
import type { PurgeMode, PurgeSelector } from './purge.js';
import type {
  Generation,
  Refusal,
  ResponseDraft,
  ResponseStore,
  ResponseWriter,
  StoreUsage,
} from './response-store.js';
import { noRetention, type ClassUsage, type Retention } from './retention.js';
import type { ResponseMetadata, StoredResponse } from './stored-response.js';
import { TieredStore } from './tiered-store.js';

/**
 * A store in memory, behind which a disk can be put, and taken away again, while it is in use.
 *
 * What began before a disk was there is not stored on it: the disk does not know what was invalidated by then. What a disk
 * has when it is taken away it is trusted with no longer: were it put back, everything would be validated before its next
 * use, for it learns nothing of what happens meanwhile.
 */
export class StoreLayers implements ResponseStore {
  readonly memory: MemoryStore;
  #disk: DiskStore | null = null;
  #retention = noRetention;
  /** The store that is in use. */
  #store: ResponseStore;
  /** When the disk came, in the order of invalidations. */
  #since = 0;

  constructor(memory: MemoryStore) {
    this.memory = memory;
    this.#store = memory;
  }

  /** Null if there is none. */
  get disk(): DiskStore | null {
    return this.#disk;
  }

  /** Puts a disk in the place of what was behind the memory, if anything was, and gives that to be closed. */
  replaceDisk(disk: DiskStore | null): DiskStore | null {
    const before = this.#disk;
    this.#disk = disk;
    this.#since = this.memory.generation();
    this.#store = disk === null ? this.memory : new TieredStore(this.memory, disk);
    void this.#store.retain(this.#retention);
    return before;
  }

  refusal(draft: ResponseDraft): Refusal {
    return this.#store.refusal(draft);
  }

  async retain(retention: Retention): Promise<void> {
    const isSame = JSON.stringify(retention.classes) === JSON.stringify(this.#retention.classes);
    if (isSame && retention.identity === this.#retention.identity) return;
    this.#retention = retention;
    await this.#store.retain(retention);
  }

  classes(): readonly ClassUsage[] {
    return this.#store.classes();
  }

  lookUp(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    return this.#store.lookUp(key);
  }

  peek(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    return this.#store.peek(key);
  }

  ready(stored: StoredResponse, from: Bytes, to: Bytes): true | Promise<boolean> {
    return this.#isGone(stored) ? Promise.resolve(false) : this.#store.ready(stored, from, to);
  }

  /** @throws WillisError for what was on a disk that is there no longer */
  open(stored: StoredResponse, from: Bytes, to: Bytes): Body {
    if (this.#isGone(stored)) throw new WillisError('internal', 'the disk with a stored response was taken away');
    return this.#store.open(stored, from, to);
  }

  write(draft: ResponseDraft): ResponseWriter | null {
    return draft.generation < this.#since ? null : this.#store.write(draft);
  }

  freshen(
    stored: StoredResponse,
    metadata: ResponseMetadata,
    generation: Generation,
  ): StoredResponse | null | Promise<StoredResponse | null> {
    return generation < this.#since ? null : this.#store.freshen(stored, metadata, generation);
  }

  remove(stored: StoredResponse): Promise<void> {
    return this.#store.remove(stored);
  }

  invalidate(key: CacheKey): Promise<void> {
    return this.#store.invalidate(key);
  }

  invalidateGroup(origin: string, group: string): Promise<void> {
    return this.#store.invalidateGroup(origin, group);
  }

  purge(selector: PurgeSelector, mode: PurgeMode, now: EpochMs): Promise<number> {
    return this.#store.purge(selector, mode, now);
  }

  generation(): Generation {
    return this.memory.generation();
  }

  isInvalidatedAfter(key: CacheKey, generation: Generation): boolean {
    return this.memory.isInvalidatedAfter(key, generation) || this.#store.isInvalidatedAfter(key, generation);
  }

  usage(): StoreUsage {
    return this.#store.usage();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #isGone(stored: StoredResponse): boolean {
    return this.#disk === null && stored instanceof DiskResponse;
  }
}
