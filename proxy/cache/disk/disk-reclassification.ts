import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { CacheKey } from '../cache-key.js';
import type { DiskClasses } from './disk-classes.js';
import type { DiskEviction } from './disk-eviction.js';
import type { DiskIndex } from './disk-index.js';
import { allUses, listOfUse, retentionKey, sequenceOfUse } from './index-keys.js';
import type { Candidate } from './use-walk.js';

export interface ReclassificationParts {
  readonly index: DiskIndex;
  readonly classes: DiskClasses;
  readonly eviction: DiskEviction;
  /** Evicts what is beyond shares. */
  readonly trim: () => Promise<void>;
  readonly onFailed: (error: unknown) => void;
}

const inSlice = 64;
/** In milliseconds, and by how much longer for each key that is moved: about as long as that takes. */
const pauseBetween = 1;
const pauseForMove = 1 / 8;

/**
 * Puts every key into the list of its class, behind the work of a store, when its retention has changed. The index notes for
 * which one that was done last; what is stored meanwhile goes by the new one anyway.
 */
export class DiskReclassification {
  readonly #parts: ReclassificationParts;
  #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #hasFailed = false;

  constructor(parts: ReclassificationParts) {
    this.#parts = parts;
  }

  /** To be called when the retention is another one. Fulfilled when it is over, or has failed and will be resumed. */
  begin(): Promise<void> {
    this.#stopping.abort();
    this.#stopping = new AbortController();
    const { signal } = this.#stopping;
    this.#hasFailed = false;
    return (this.#running = this.#running.then(() => this.#run(signal)).catch((error: unknown) => this.#failed(error)));
  }

  /** Begins again if it has failed. */
  resume(): void {
    if (this.#hasFailed) void this.begin();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  #failed(error: unknown): void {
    this.#hasFailed = true;
    this.#parts.onFailed(error);
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { index, classes, trim } = this.#parts;
    if (signal.aborted) return;
    const wanted = createHash('sha256').update(classes.identity).digest('base64url');
    const noted = await index.noted(retentionKey);
    const isPlain = noted === undefined && classes.isPlain;
    if (!isPlain && noted?.toString() !== wanted) {
      await index.change([{ type: 'del', key: retentionKey }]);
      if (!(await this.#walk(signal))) return;
      await index.change([{ type: 'put', key: retentionKey, value: Buffer.from(wanted) }]);
    }
    await trim();
  }

  /** False if it was stopped. */
  async #walk(signal: AbortSignal): Promise<boolean> {
    const { index, classes, eviction } = this.#parts;
    for (let { from } = allUses; ;) {
      const due: Omit<Candidate, 'size'>[] = [];
      let last: string | null = null;
      for await (const [found, value] of index.entries({ ...allUses, from, most: inSlice })) {
        last = found;
        const text = value.toString();
        const key = text.slice(text.indexOf(' ') + 1) as CacheKey;
        const list = listOfUse(found);
        if (classes.listOf(key) !== list) due.push({ key, list, use: sequenceOfUse(found) });
      }
      await Promise.all(due.map((one) => eviction.reclassify(one)));
      if (last === null) return true;
      from = `${last}\0`;
      await pause(pauseBetween + due.length * pauseForMove, undefined, { ref: false, signal }).catch(() => undefined);
      if (signal.aborted) return false;
    }
  }
}
