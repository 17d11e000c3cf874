import { join } from 'node:path';
import { bytes, type Bytes } from '../../../config/units.js';
import { KeyValueError, openKeyValue, repairKeyValue, type KeyValue } from '../../base/key-value.js';
import { errorCode } from './disk-fault.js';
import type { DiskOptions } from './disk-options.js';
import type { FileSystem } from './file-system.js';
import { hasDropped, isHeadless } from './index-loss.js';
import { checkTables, stillThere } from './index-tables.js';
import { UncheckedNote } from './store-notes.js';

/**
 * How an index is opened: as it is; with what can be saved of it; or as a new one, where even that is nothing. The old one is
 * set aside then, until the new one has what there is in files.
 */
export type Opening = 'as-it-is' | 'repaired' | 'anew';

export interface OpenedRecords {
  readonly records: KeyValue;
  /** Whether records of it may be lost. */
  readonly hasLost: boolean;
  /** Tables that were not looked through. */
  readonly unchecked: readonly string[];
}

/** Where an index is that could not be repaired, until its files are. */
export const setAside = (directory: string): string => join(directory, 'index.damaged');

/**
 * To be called by whoever has the lock of the directory. Rejects with KeyValueError, `damaged` where another opening is to be
 * tried, or as files do.
 */
export async function openRecords(opening: Opening, options: DiskOptions, system: FileSystem): Promise<OpenedRecords> {
  const { directory } = options;
  const path = join(directory, 'index');
  const place: Place = { path, system, open: options.openRecords ?? openKeyValue };
  if (opening === 'anew') return openAnew(place, directory);
  const note = new UncheckedNote(directory, system);
  const isFull = opening === 'repaired' || (await note.isThere());
  const budget = isFull ? Infinity : (options.checkedAtStart ?? mostCheckedAtStart);
  if (opening === 'repaired') await repair(place);
  const opened = await openSound(place, bytes(budget), note);
  if (opening === 'as-it-is') return opened;
  try {
    // until its tables are merged, level may find the older of two values of a repaired index
    await opened.records.compact();
    return { ...opened, hasLost: true, unchecked: [] };
  } catch (error) {
    await opened.records.close();
    throw error;
  }
}

interface Place {
  readonly path: string;
  readonly system: FileSystem;
  readonly open: typeof openKeyValue;
}

/** That takes a tenth of a second; the rest is checked while the store is in use. */
const mostCheckedAtStart = bytes(64 * 1024 * 1024);

/** Opens only what is sound as far as it was looked at: level ends the process where it finds keys in a wrong order. */
async function openSound({ path, system, open }: Place, budget: Bytes, note: UncheckedNote): Promise<OpenedRecords> {
  if (await isHeadless(path, system)) throw new KeyValueError('damaged', 'the index does not say where it begins');
  const { damaged, torn, unchecked } = await checkTables(path, system, budget);
  if (damaged.length > 0) throw new KeyValueError('damaged', `tables of the index are damaged: ${damaged.join(' ')}`);
  // one that belongs to the index is missed when it is opened
  for (const name of torn) await system.unlink(join(path, name));
  if (unchecked.length > 0) await note.make();
  const records = await open(path);
  try {
    const hasLost = await hasDropped(path, system);
    return { records, hasLost, unchecked: await stillThere(unchecked, path, system) };
  } catch (error) {
    await records.close();
    throw error;
  }
}

/** What is damaged is taken out before, for a repair takes what is in it for sound. */
async function repair({ path, system }: Place): Promise<void> {
  const { damaged, torn } = await checkTables(path, system, bytes(Infinity));
  for (const name of [...damaged, ...torn]) await system.unlink(join(path, name));
  await repairKeyValue(path);
  // what could not be repaired is of no use, and would count for nothing
  await system.removeDirectory(join(path, 'lost'));
}

async function openAnew({ path, system, open }: Place, directory: string): Promise<OpenedRecords> {
  await system.removeDirectory(setAside(directory));
  await system.rename(path, setAside(directory)).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
  return { records: await open(path), hasLost: true, unchecked: [] };
}
