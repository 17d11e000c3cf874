import { join } from 'node:path';
import { errorCode } from './disk-fault.js';
import { textOf } from './disk-format.js';
import type { FileSystem } from './file-system.js';

/** A file in the directory of a store that says something to the next process if this one does not live to delete it. */
class StoreNote {
  readonly #path: string;
  readonly #system: FileSystem;

  constructor(directory: string, name: string, system: FileSystem) {
    this.#path = join(directory, name);
    this.#system = system;
  }

  async isThere(): Promise<boolean> {
    return (await textOf(this.#path, this.#system)) !== null;
  }

  make(): Promise<void> {
    return this.#system.writeText(this.#path, '');
  }

  async remove(): Promise<void> {
    await this.#system.unlink(this.#path).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error;
    });
  }
}

/** The index has lost records, or is about to: what the files know of them is not in it again. */
export class RebuildNote extends StoreNote {
  constructor(directory: string, system: FileSystem) {
    super(directory, 'rebuild', system);
  }
}

/** Tables of the index were not looked through, which may be what ended the process: to be done before the index is opened. */
export class UncheckedNote extends StoreNote {
  constructor(directory: string, system: FileSystem) {
    super(directory, 'unchecked', system);
  }
}
