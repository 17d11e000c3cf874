import { join } from 'node:path';
import { bytes } from '../../../config/units.js';
import { KeyValueError, openKeyValue, type KeyValue } from '../../base/key-value.js';
import { diskFault } from './disk-fault.js';
import type { FileSystem } from './file-system.js';

const small = { cache: bytes(64 * 1024), writeBuffer: bytes(64 * 1024) };

/**
 * Keeps other processes from a store for as long as this one has it open. Node.js has no locks for files; level has one,
 * but an index that is being repaired is not open. So there is a second one beside it, which has no records.
 */
export class DirectoryLock {
  readonly #path: string;
  readonly #system: FileSystem;
  #held: KeyValue | null = null;

  constructor(directory: string, system: FileSystem) {
    this.#path = join(directory, 'lock');
    this.#system = system;
  }

  /** Idempotent. Rejects with a KeyValueError, `in-use` if another process has it. */
  async acquire(): Promise<void> {
    this.#held ??= await openKeyValue(this.#path, small).catch((error: unknown) => this.#makeAnew(error));
  }

  /** Idempotent. */
  async release(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    await held?.close();
  }

  /** Nothing is lost with it but what was damaged. */
  async #makeAnew(error: unknown): Promise<KeyValue> {
    const isTaken = error instanceof KeyValueError && error.fault === 'in-use';
    if (isTaken || diskFault(error) === 'full') throw error;
    await this.#system.removeDirectory(this.#path);
    return openKeyValue(this.#path, small);
  }
}
