import { setTimeout as pause } from 'node:timers/promises';
import { isLost } from './disk-fault.js';
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
    const { files, index } = this.#parts;
    let count = 0;
    for await (const id of files.names()) {
      // what this process writes it knows
      if (id.startsWith(index.run) || files.isBuried(id)) continue;
      await this.#consider(id);
      if (++count % atOnce === 0) await pause(pauseBetween, undefined, { ref: false });
      if (this.#closing.signal.aborted) return;
    }
  }

  async #consider(id: string): Promise<void> {
    const { files } = this.#parts;
    try {
      if (!(await isReferred(this.#parts, id)) && !files.isBuried(id)) await files.delete(id);
    } catch (error) {
      if (!isLost(error)) throw error;
      await files.delete(id);
    }
  }
}
