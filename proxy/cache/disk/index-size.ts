import { join } from 'node:path';
import { bytes, type Bytes } from '../../../config/units.js';
import { errorCode } from './disk-fault.js';
import type { FileSystem } from './file-system.js';

/** The index may be so much larger than its records: what was deleted is given back later. */
const slack = 16 * 1024 * 1024;
/** What level calls its files. */
const ownFile = /^(CURRENT|LOCK|LOG(\.old)?|MANIFEST-\d+|\d+\.(ldb|log|dbtmp))$/;

/** How large the files of an index are, beside what its records count. */
export class IndexSize {
  readonly #directory: string;
  readonly #system: FileSystem;
  #excess = 0;

  constructor(directory: string, system: FileSystem) {
    this.#directory = directory;
    this.#system = system;
  }

  /** What it takes beyond its records and the slack, as it was measured last. */
  get excess(): Bytes {
    return bytes(this.#excess);
  }

  /** Measures; where the slack is used up the index is compacted, and what is left counts against the limit. */
  async measure(counted: Bytes, compact: () => Promise<void>): Promise<void> {
    const isOver = async (): Promise<number> => Math.max(0, (await this.measured()) - counted - slack);
    this.#excess = await isOver();
    if (this.#excess === 0) return;
    await compact();
    this.#excess = await isOver();
  }

  /** How large its files are. */
  async measured(): Promise<Bytes> {
    let total = 0;
    for await (const name of this.#system.names(this.#directory)) {
      if (!ownFile.test(name)) continue;
      try {
        total += await this.#system.size(join(this.#directory, name));
      } catch (error) {
        // it was replaced meanwhile
        if (errorCode(error) !== 'ENOENT') throw error;
      }
    }
    return bytes(total);
  }
}
