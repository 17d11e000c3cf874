import { setTimeout as pause } from 'node:timers/promises';
import type { Bytes } from '../../../config/units.js';
import { errorCode, isLost } from './disk-fault.js';
import { isReferred, type RebuildParts } from './disk-rebuild.js';

const atOnce = 16;
const pauseBetween = 20;

/** Goes through all body files behind the work of a store, and deletes those that nothing refers to. */
export class DiskSweep {
  readonly #parts: RebuildParts;
  readonly #closing = new AbortController();
  #sweeping: Promise<void> = Promise.resolve();

  constructor(parts: RebuildParts) {
    this.#parts = parts;
  }

  begin(onFailed: (error: unknown) => void): void {
    this.#sweeping = this.#sweep().catch(onFailed);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    let count = 0;
    for await (const id of this.unknown()) {
      await this.consider(id);
      if (++count % atOnce === 0) await this.#pause();
      if (this.#closing.signal.aborted) return;
    }
  }

  /** Ends at once when it is closed: who waits for that may be all that keeps the process. */
  async #pause(): Promise<void> {
    await pause(pauseBetween, undefined, { ref: false, signal: this.#closing.signal }).catch(() => undefined);
  }

  /** The body files of which it is not known whether anything refers to them: what this process writes it knows. */
  async *unknown(): AsyncGenerator<string> {
    const { files, index } = this.#parts;
    for await (const id of files.names()) if (!id.startsWith(index.run) && !files.isBuried(id)) yield id;
  }

  /** Deletes a file if nothing refers to it. Gives how long it was; null if it stays, or was gone already. */
  async consider(id: string): Promise<Bytes | null> {
    const { files } = this.#parts;
    try {
      if ((await isReferred(this.#parts, id)) || files.isBuried(id)) return null;
    } catch (error) {
      if (!isLost(error)) throw error;
    }
    return this.#delete(id);
  }

  async #delete(id: string): Promise<Bytes | null> {
    const { files, system } = this.#parts;
    try {
      const size = await system.size(files.pathOf(id));
      await files.delete(id);
      return size;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      return null;
    }
  }
}
