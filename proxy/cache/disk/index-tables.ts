import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { bytes, type Bytes } from '../../../config/units.js';
import { KeyValueError } from '../../base/key-value.js';
import { errorCode } from './disk-fault.js';
import type { FileSystem } from './file-system.js';
import { faultsOf, type TableFault } from './index-table.js';

/** What became of looking through the tables of an index, by their names. */
export interface TableFindings {
  readonly damaged: readonly string[];
  /** Not written to their end: left behind by a process that was killed, or damaged. */
  readonly torn: readonly string[];
  readonly unchecked: readonly string[];
}

/** Reads tables, the newest first, as many as come to so many bytes. */
export async function checkTables(index: string, system: FileSystem, budget: Bytes): Promise<TableFindings> {
  const found = { damaged: [] as string[], torn: [] as string[], unchecked: [] as string[] };
  let left: number = budget;
  for (const name of (await tablesIn(index, system)).sort().reverse()) {
    const size = await sizeOf(join(index, name), system);
    if (size > left) {
      found.unchecked.push(name);
      continue;
    }
    left -= size;
    const fault = await faultIn(join(index, name), system);
    if (fault !== null) found[fault].push(name);
  }
  return found;
}

/** Those of the tables that are there. */
export async function stillThere(names: readonly string[], index: string, system: FileSystem): Promise<string[]> {
  if (names.length === 0) return [];
  const there = new Set(await tablesIn(index, system));
  return names.filter((name) => there.has(name));
}

/** Between tables: about 80 MB are read in a second, which takes a tenth of a processor. */
const pauseBetween = 100;

/** Checks the rest of the tables behind the work of a store. */
export class TableCheck {
  readonly #index: string;
  readonly #system: FileSystem;
  readonly #closing = new AbortController();
  #checking: Promise<void> = Promise.resolve();
  /** Of what is checked; what was begun before is given up. */
  #current: readonly string[] = [];

  constructor(index: string, system: FileSystem) {
    this.#index = index;
    this.#system = system;
  }

  /**
   * @param onSound called when all of them were looked through
   * @param onDamaged called with a KeyValueError if one of them is not what was written
   */
  begin(tables: readonly string[], onSound: () => Promise<void>, onDamaged: (error: unknown) => void): void {
    this.#current = tables;
    this.#checking = this.#checking
      .then(() => this.#check(tables))
      .then((isSound) => (isSound ? onSound() : undefined))
      .catch(onDamaged);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#checking;
  }

  /** False if it was ended before. */
  async #check(tables: readonly string[]): Promise<boolean> {
    const { signal } = this.#closing;
    for (const name of tables) {
      await pause(pauseBetween, undefined, { ref: false, signal }).catch(() => undefined);
      if (signal.aborted || this.#current !== tables) return false;
      const fault = await faultIn(join(this.#index, name), this.#system);
      // one that is torn has the name of one that was left behind, and is being written
      if (fault === 'damaged') throw new KeyValueError('damaged', `the table ${name} is damaged`);
    }
    return true;
  }
}

/** So many blocks are checked in one turn of the event loop. */
const blocksAtOnce = 256;

/** What is wrong with a table; nothing if it is gone. */
async function faultIn(path: string, system: FileSystem): Promise<TableFault | null> {
  const table = await contentOf(path, system);
  if (table === null) return null;
  const checking = faultsOf(table);
  for (let blocks = 1; ; blocks++) {
    const step = checking.next();
    if (step.done === true) return step.value;
    if (blocks % blocksAtOnce === 0) await nextTurn();
  }
}

async function contentOf(path: string, system: FileSystem): Promise<Buffer | null> {
  try {
    const content = Buffer.allocUnsafeSlow(await system.size(path));
    const file = await system.open(path, 'read');
    try {
      return content.subarray(0, await system.read(file, content, bytes(0)));
    } finally {
      await system.close(file);
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    // it can be read by nobody
    if (errorCode(error) === 'EIO') return Buffer.alloc(0);
    throw error;
  }
}

async function sizeOf(path: string, system: FileSystem): Promise<number> {
  try {
    return await system.size(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 0;
    throw error;
  }
}

async function tablesIn(index: string, system: FileSystem): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const name of system.names(index)) if (/^\d+\.ldb$/.test(name)) names.push(name);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  return names;
}
