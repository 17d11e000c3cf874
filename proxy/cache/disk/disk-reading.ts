import type { Bytes } from '../../../config/units.js';
import { WillisError } from '../../base/errors.js';
import { BufferedBody, type Body } from '../../http/body.js';
import { Fields } from '../../http/fields.js';
import type { CacheKey } from '../cache-key.js';
import { covers } from '../partial.js';
import type { StoredResponse } from '../stored-response.js';
import { DiskBody } from './disk-body.js';
import { isLost } from './disk-fault.js';
import { DiskResponse } from './disk-response.js';
import { InlineLoading } from './inline-loading.js';
import type { OpenDisk } from './open-disk.js';
import { DamagedSegment } from './segment-format.js';
import { segmentAt, type Segment } from './segment.js';

const nothing: readonly DiskResponse[] = Object.freeze([]);

export interface ReadingOptions {
  /** False while the disk fails, and once the store is closed. */
  readonly isUsable: () => boolean;
  /** A stored response is lost: what is there is not what was stored. */
  readonly onLost: ((key: CacheKey, error: unknown) => void) | undefined;
}

/** Finds stored responses on disk and reads them. What turns out to be lost is forgotten. Methods as in `ResponseStore`. */
export class DiskReading {
  readonly #disk: OpenDisk;
  readonly #options: ReadingOptions;
  readonly #inline: InlineLoading;

  constructor(disk: OpenDisk, options: ReadingOptions) {
    this.#disk = disk;
    this.#options = options;
    this.#inline = new InlineLoading(disk.files, disk.reader);
  }

  lookUp(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    if (!this.#options.isUsable()) return nothing;
    this.#disk.eviction.used(key);
    return this.#findNow(key, true) ?? this.#disk.health.orElse(this.#find(key, true), nothing);
  }

  peek(key: CacheKey): readonly StoredResponse[] | Promise<readonly StoredResponse[]> {
    if (!this.#options.isUsable()) return nothing;
    return this.#findNow(key, false) ?? this.#disk.health.orElse(this.#find(key, false), nothing);
  }

  ready(stored: StoredResponse, from: Bytes, to: Bytes): true | Promise<boolean> {
    if (from >= to) return true;
    const response = asOwn(stored);
    const segment = segmentAt(response.segments, from);
    if (segment !== null && this.#beginNow(response, segment, from)) return true;
    return this.#disk.health.orElse(this.#begin(response, segment, from), false);
  }

  open(stored: StoredResponse, from: Bytes, to: Bytes): Body {
    const response = asOwn(stored);
    if (!covers(response.held, { from, to })) throw new RangeError(`bytes ${from} to ${to} are not all held`);
    this.#disk.records.opened(response);
    const segment = segmentAt(response.segments, from);
    const loaded = segment === null ? Buffer.alloc(0) : response.loaded.contents.get(segment.id);
    const start = segment?.from ?? 0;
    if (from >= to || (loaded !== undefined && start + loaded.length >= to)) {
      const isEnd = response.complete && to === response.length;
      const chunk = loaded?.subarray(from - start, Math.max(from, to) - start) ?? Buffer.alloc(0);
      return new BufferedBody([chunk], isEnd ? response.trailers : Fields.none);
    }
    const { files, reader } = this.#disk;
    files.hold(response.segments);
    return new DiskBody(response, from, to, {
      reader,
      onEnd: () => files.release(response.segments),
      onFailed: async (one, error) => {
        await this.forget(response.key, one, error);
      },
    });
  }

  /** A segment could not be read: what has bytes in it is forgotten, if it is lost. Gives how many responses that were. */
  async forget(key: CacheKey, segment: Segment | null, error: unknown): Promise<number> {
    if (!isLost(error)) {
      this.#disk.health.failed(error);
      return 0;
    }
    const { records } = this.#disk;
    if (segment === null || !this.#options.isUsable()) return 0;
    const lost = await this.#disk.health.orElse(records.forgetSegment(key, segment.id), 0);
    if (lost > 0) this.#options.onLost?.(key, error);
    return lost;
  }

  /** The same for a key whose record cannot be read. */
  async forgetRecord(key: CacheKey): Promise<number> {
    const lost = this.#options.isUsable() ? await this.#disk.health.orElse(this.#disk.records.forgetRecord(key), 0) : 0;
    if (lost > 0) this.#options.onLost?.(key, new DamagedSegment('its record is not what was stored'));
    return lost;
  }

  async #find(key: CacheKey, isUse: boolean): Promise<readonly DiskResponse[]> {
    const record = await this.#disk.index.record(key);
    if (record === null || !this.#options.isUsable()) return nothing;
    if (!isUse) return record.responses;
    this.#disk.eviction.touch(key, record);
    await this.#inline.load(record.responses);
    return related(record.responses);
  }

  /** Null where that is better done by the thread pool. */
  #findNow(key: CacheKey, isUse: boolean): readonly DiskResponse[] | null {
    const { index, prompt, eviction } = this.#disk;
    if (!prompt.areOn()) return null;
    try {
      const record = prompt.make(() => index.recordNow(key));
      if (record === null) return nothing;
      if (!isUse) return record.responses;
      eviction.touch(key, record);
      return this.#inline.loadNow(record.responses) ? related(record.responses) : null;
    } catch (error) {
      this.#disk.health.failed(error);
      return nothing;
    }
  }

  /** Whether the first bytes are there already, or could be had at once. */
  #beginNow({ segments, loaded }: DiskResponse, segment: Segment, from: Bytes): boolean {
    try {
      if (this.#disk.reader.blockNow(segment, from, loaded) === null) return false;
    } catch {
      // it will be found again, and dealt with
      return false;
    }
    if (!loaded.contents.has(segment.id)) this.#holdForThisTurn(segments);
    return true;
  }

  /** Whoever asked opens it in this turn. */
  #holdForThisTurn(segments: readonly Segment[]): void {
    const { files } = this.#disk;
    files.hold(segments);
    setImmediate(() => files.release(segments));
  }

  async #begin(response: DiskResponse, segment: Segment | null, from: Bytes): Promise<boolean> {
    const { files, reader } = this.#disk;
    files.hold(response.segments);
    try {
      if (segment === null) return false;
      await reader.blockAt(segment, from, response.loaded);
      return true;
    } catch (error) {
      await this.forget(response.key, segment, error);
      return false;
    } finally {
      // whoever asked opens it in this turn
      setImmediate(() => files.release(response.segments));
    }
  }
}

/** Found together. */
function related(responses: readonly DiskResponse[]): readonly DiskResponse[] {
  for (const one of responses) one.siblings = responses;
  return responses;
}

function asOwn(stored: StoredResponse): DiskResponse {
  if (stored instanceof DiskResponse) return stored;
  throw new WillisError('internal', `response ${stored.id} is not stored here`);
}
