import type { Bytes, EpochMs } from '../../config/units.js';
import { bytes } from '../../config/units.js';
import { readAll, type Body } from '../http/body.js';
import type { Fields } from '../http/fields.js';
import type { CacheKey } from './cache-key.js';
import { DiskResponse } from './disk/disk-response.js';
import { RecentUses } from './disk/recent-uses.js';
import type { DiskStore } from './disk/disk-store.js';
import { MemoryResponse } from './memory-response.js';
import type { AdoptedResponse, MemoryStore } from './memory-store.js';
import type { PurgeMode, PurgeSelector } from './purge.js';
import type {
  Generation,
  Refusal,
  ResponseDraft,
  ResponseStore,
  ResponseWriter,
  StoreUsage,
} from './response-store.js';
import type { ClassUsage, Retention } from './retention.js';
import type { ResponseMetadata, StoredResponse } from './stored-response.js';

/** How many keys are brought to memory at once, and which share of the memory one may take. */
const mostRising = 16;
const largestShare = 1 / 64;
const askedKnown = 8192;

/** What is brought to memory, unless it changes meanwhile. */
interface Rise {
  isOff: boolean;
}

/**
 * Memory in front of a disk. Whatever is stored is stored on disk; memory has copies of what was asked for again: of all that
 * is stored under a key, or of nothing of it, so that a hit in memory asks no disk. A change of what is stored under a key
 * takes its copies away, and the next look-up brings them back.
 *
 * While the disk is unwell this is a store in memory. What it stores then is not on disk, which for that reason is trusted
 * with nothing of what it had before, until it was validated.
 *
 * Both are to have the same order of invalidations.
 */
export class TieredStore implements ResponseStore {
  readonly #memory: MemoryStore;
  readonly #disk: DiskStore;
  /** By key, what has all come and is being stored. */
  readonly #ending = new Map<CacheKey, Promise<void>>();
  readonly #rising = new Map<CacheKey, Rise>();
  /** Keys that were asked for on disk of late, and are worth the memory if they are once more. */
  readonly #asked = new RecentUses(askedKnown);

  constructor(memory: MemoryStore, disk: DiskStore) {
    this.#memory = memory;
    this.#disk = disk;
  }

  lookUp(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    const ending = this.#endingOf(key);
    if (ending !== undefined) return ending.then(() => this.lookUp(key));
    const copies = this.#memory.lookUp(key);
    if (copies.length > 0) return copies;
    return this.#disk.lookUp(key);
  }

  peek(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    const ending = this.#endingOf(key);
    if (ending !== undefined) return ending.then(() => this.peek(key));
    const copies = this.#memory.peek(key);
    return copies.length > 0 ? copies : this.#disk.peek(key);
  }

  ready(stored: StoredResponse, from: Bytes, to: Bytes): true | Promise<boolean> {
    if (stored instanceof MemoryResponse) return true;
    const ready = this.#disk.ready(stored, from, to);
    if (ready instanceof Promise) return ready.then((is) => this.#isReady(stored, is));
    this.#isReady(stored, true);
    return true;
  }

  #isReady(stored: StoredResponse, is: boolean): boolean {
    if (is && stored instanceof DiskResponse) this.#raise(stored);
    return is;
  }

  open(stored: StoredResponse, from: Bytes, to: Bytes): Body {
    return stored instanceof DiskResponse ? this.#disk.open(stored, from, to) : this.#memory.open(stored, from, to);
  }

  write(draft: ResponseDraft): ResponseWriter | null {
    const { key } = draft.metadata;
    if (this.#disk.isWell) {
      const writer = this.#disk.write(draft);
      const changed = (): void => this.#changed(key);
      return writer && new ChangingWriter(writer, changed, (ended) => this.#awaitEnd(key, ended));
    }
    const writer = this.#memory.write(draft);
    return writer && new ChangingWriter(writer, () => this.#disk.distrust());
  }

  refusal(draft: ResponseDraft): Refusal {
    return this.#disk.isWell ? this.#disk.refusal(draft) : 'disk-unwell';
  }

  async freshen(
    stored: StoredResponse,
    metadata: ResponseMetadata,
    generation: Generation,
  ): Promise<StoredResponse | null> {
    if (!this.#disk.isWell) {
      await this.#disk.distrust();
      return this.#memory.freshen(stored, metadata, generation);
    }
    const freshened = await this.#disk.freshen(stored, metadata, generation);
    this.#changed(stored.key);
    if (freshened instanceof DiskResponse && stored instanceof MemoryResponse) freshened.give(stored.body);
    return freshened;
  }

  async remove(stored: StoredResponse): Promise<void> {
    await this.#disk.remove(stored);
    this.#changed(stored.key);
  }

  async invalidate(key: CacheKey): Promise<void> {
    await Promise.all([this.#memory.invalidate(key), this.#disk.invalidate(key)]);
    if (this.#disk.isWell) this.#changed(key);
  }

  async invalidateGroup(origin: string, group: string): Promise<void> {
    await this.#disk.invalidateGroup(origin, group);
    this.#callOffAll();
    await this.#memory.invalidateGroup(origin, group);
  }

  async purge(selector: PurgeSelector, mode: PurgeMode, now: EpochMs): Promise<number> {
    const purged = await this.#disk.purge(selector, mode, now);
    this.#callOffAll();
    // of what is on disk, memory has no more than copies
    if (!this.#disk.isWell) return this.#memory.purge(selector, mode, now);
    await this.#memory.purge(selector, 'hard', now);
    return purged;
  }

  generation(): Generation {
    return this.#disk.generation();
  }

  isInvalidatedAfter(key: CacheKey, generation: Generation): boolean {
    return this.#disk.isInvalidatedAfter(key, generation);
  }

  /** Of the disk; what memory takes, `MemoryStore.usage` tells. */
  usage(): StoreUsage {
    return this.#disk.usage();
  }

  async retain(retention: Retention): Promise<void> {
    await Promise.all([this.#memory.retain(retention, true), this.#disk.retain(retention)]);
  }

  /** Of the disk; of the rest of what memory has, which was stored while there was no disk, `MemoryStore.classes` tells. */
  classes(): readonly ClassUsage[] {
    return this.#disk.classes();
  }

  async close(): Promise<void> {
    this.#callOffAll();
    await Promise.all([this.#memory.close(), this.#disk.close()]);
  }

  /** Whoever has all of a response may ask again at once, and is to find it stored. */
  #endingOf(key: CacheKey): Promise<void> | undefined {
    return this.#ending.size === 0 ? undefined : this.#ending.get(key);
  }

  #awaitEnd(key: CacheKey, ended: Promise<unknown>): void {
    const over = (): void => {
      if (this.#ending.get(key) === ending) this.#ending.delete(key);
    };
    const ending = ended.then(over, over);
    this.#ending.set(key, ending);
  }

  /** What is stored under a key has changed on disk. */
  #changed(key: CacheKey): void {
    const rise = this.#rising.get(key);
    if (rise !== undefined) rise.isOff = true;
    this.#memory.forget(key);
  }

  #callOffAll(): void {
    for (const rise of this.#rising.values()) rise.isOff = true;
  }

  /** Brings what is stored under a key to memory, behind the answer that it is read for. */
  #raise(response: DiskResponse): void {
    const { key, siblings: all } = response;
    if (!this.#isAskedAgain(key)) return;
    if (all === null || this.#rising.size >= mostRising || this.#rising.has(key)) return;
    let size = 0;
    for (const { complete, length } of all) size += complete ? (length ?? 0) : Infinity;
    if (size > this.#memory.usage().limit * largestShare) return;
    const rise: Rise = { isOff: false };
    this.#rising.set(key, rise);
    this.#rise(key, all, rise)
      // it stays on disk, where whoever reads it next learns of it
      .catch(() => undefined)
      .finally(() => this.#rising.delete(key));
  }

  /** Whether a key was asked for before; the first time is noted. */
  #isAskedAgain(key: CacheKey): boolean {
    if (this.#asked.of(key) > 0) return true;
    this.#asked.note(key, 1);
    return false;
  }

  async #rise(key: CacheKey, all: readonly StoredResponse[], rise: Rise): Promise<void> {
    const generation = this.generation();
    const current = await this.#disk.peek(key);
    if (current.length !== all.length || current.some(({ id }, i) => id !== all[i]?.id)) return;
    const copies: AdoptedResponse[] = [];
    for (const [i, stored] of current.entries()) {
      const length = stored.length ?? bytes(0);
      const body = this.#disk.open(all[i] as StoredResponse, bytes(0), length);
      copies.push({ stored, content: await readAll(body, length) });
    }
    if (!rise.isOff && this.#disk.isWell) this.#memory.adopt(copies, generation);
  }
}

/** A writer whose end changes what is stored. */
class ChangingWriter implements ResponseWriter {
  constructor(
    private readonly writer: ResponseWriter,
    private readonly onStored: () => unknown,
    /** Told when it begins to end. */
    private readonly onEnding: (ended: Promise<unknown>) => void = () => undefined,
  ) {}

  get keepsBuffers(): boolean | undefined {
    return this.writer.keepsBuffers;
  }

  append(chunk: Buffer): boolean | Promise<boolean> {
    return this.writer.append(chunk);
  }

  commit(trailers: Fields): Promise<StoredResponse | null> {
    return this.#ended(this.#end(this.writer.commit(trailers)));
  }

  abandon(keep: boolean): Promise<StoredResponse | null> {
    return this.#ended(this.#end(this.writer.abandon(keep)));
  }

  #ended(ended: Promise<StoredResponse | null>): Promise<StoredResponse | null> {
    this.onEnding(ended);
    return ended;
  }

  async #end(ending: StoredResponse | null | Promise<StoredResponse | null>): Promise<StoredResponse | null> {
    const stored = await ending;
    if (stored !== null) await this.onStored();
    return stored;
  }
}
