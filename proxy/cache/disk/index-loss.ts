import { join } from 'node:path';
import { bytes } from '../../../config/units.js';
import { errorCode } from './disk-fault.js';
import { textOf } from './disk-format.js';
import type { Descriptor, FileSystem } from './file-system.js';

/** Whether the index, when it was opened the last time, left out changes that it could not read: it says so in its log only. */
export async function hasDropped(index: string, system: FileSystem): Promise<boolean> {
  return /: dropping \d+ bytes|Corruption:/.test((await textOf(join(index, 'LOG'), system)) ?? '');
}

/** Whether there is an index that does not say where it begins: level would begin a new one among its files, or give up. */
export async function isHeadless(index: string, system: FileSystem): Promise<boolean> {
  const names = new Set<string>();
  try {
    for await (const one of system.names(index)) names.add(one);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  if (![...names].some((one) => /\.(ldb|log)$|^MANIFEST/.test(one))) return false;
  const current = await textOf(join(index, 'CURRENT'), system);
  return current === null || !/^MANIFEST-\d+\n$/.test(current) || !names.has(current.trim());
}

const digits = 16;

/**
 * The last number of the order of changes, in a file beside the index, written after each of them and before anybody is told
 * of it. An index that has only smaller ones has lost its end, which it takes for the end of a process.
 */
export class LastSequence {
  readonly #system: FileSystem;
  readonly #file: Descriptor;

  private constructor(system: FileSystem, file: Descriptor) {
    this.#system = system;
    this.#file = file;
  }

  /** Null if there is none, or none that can be read. */
  static async read(directory: string, system: FileSystem): Promise<number | null> {
    const text = await textOf(join(directory, name), system);
    return text !== null && /^\d{16}\n$/.test(text) ? Number(text) : null;
  }

  /** Begins a new file, in the place of the one before. */
  static async begin(directory: string, system: FileSystem, sequence: number): Promise<LastSequence> {
    const next = join(directory, 'tmp', name);
    const file = await system.open(next, 'create');
    const last = new LastSequence(system, file);
    await last.write(sequence);
    await system.rename(next, join(directory, name));
    return last;
  }

  write(sequence: number): Promise<void> {
    return this.#system.write(this.#file, [Buffer.from(`${String(sequence).padStart(digits, '0')}\n`)], bytes(0));
  }

  close(): Promise<void> {
    return this.#system.close(this.#file);
  }
}

const name = 'sequence';
