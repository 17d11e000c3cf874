import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { bytes, milliseconds } from '../../../config/units.js';
import { KeyValueError, openKeyValue, repairKeyValue, type KeyValue } from '../../base/key-value.js';
import { InvalidationOrder } from '../invalidation-marks.js';
import { isLost } from './disk-fault.js';
import { prepareDirectory, textOf } from './disk-format.js';
import { DiskIndex } from './disk-index.js';
import type { DiskOptions } from './disk-options.js';
import { adopt, recount } from './disk-rebuild.js';
import { DiskStoreError } from './disk-store-error.js';
import { machineFileSystem, type FileSystem } from './file-system.js';
import { decodeTotals } from './index-journal.js';
import { allGraves, floorKey, runKey, totalsKey } from './index-keys.js';
import { hasDropped, isHeadless, LastSequence } from './index-loss.js';
import { KeyLocks } from './key-locks.js';
import { OpenDisk } from './open-disk.js';
import { encodeRun, parseRun } from './run-marker.js';
import { SegmentFiles } from './segment-files.js';

/** Whether the index is what it was, has lost some of its records, or is made anew. */
type State = 'whole' | 'repaired' | 'new';

const noTotals = { responses: 0, bytes: bytes(0), files: bytes(0), sequence: 0 };

/** @throws DiskStoreError */
export async function openDisk(options: DiskOptions): Promise<OpenDisk> {
  const system = options.system ?? machineFileSystem;
  const isNew = await prepareDirectory(options.directory, system);
  for (const state of ['whole', 'repaired'] as const) {
    try {
      return await openAs(state, options, system, isNew);
    } catch (error) {
      if (!(error instanceof KeyValueError) || error.fault !== 'damaged') throw refusal(options, error);
    }
  }
  return openAs('new', options, system, isNew).catch((error: unknown) => {
    throw refusal(options, error);
  });
}

function refusal({ directory }: DiskOptions, error: unknown): DiskStoreError {
  return error instanceof KeyValueError && error.fault === 'in-use'
    ? new DiskStoreError('in-use', `the store in ${directory} is used by another process`, { cause: error })
    : new DiskStoreError('unusable', `the store in ${directory} cannot be used: ${String(error)}`, { cause: error });
}

async function openAs(state: State, options: DiskOptions, system: FileSystem, isNew: boolean): Promise<OpenDisk> {
  const path = join(options.directory, 'index');
  if (state === 'repaired') {
    await repairKeyValue(path);
    // what could not be repaired is of no use, and would count for nothing
    await system.removeDirectory(join(path, 'lost'));
    options.onNotice?.('the index was damaged and is repaired; what it had lost is read from the body files');
  }
  if (state === 'new') {
    await system.removeDirectory(`${path}.damaged`);
    await system.rename(path, `${path}.damaged`);
    options.onNotice?.(`the index could not be repaired and is set aside as ${path}.damaged; it is made anew`);
  }
  if (state === 'whole' && (await isHeadless(path, system))) throw new KeyValueError('damaged', 'it has no CURRENT');
  const records = await (options.openRecords ?? openKeyValue)(path);
  try {
    // until its tables are merged, level may find the older of two values of a repaired index
    if (state === 'repaired') await records.compact();
    return await start(options, system, records, isNew ? 'empty' : await stateOf(path, state, options, system));
  } catch (error) {
    await records.close();
    throw error;
  }
}

/** One that has left out what it could not read is as good as repaired. */
async function stateOf(
  path: string,
  state: State,
  { directory, onNotice }: DiskOptions,
  system: FileSystem,
): Promise<State> {
  if (state !== 'whole' || !(await hasDropped(path, system))) return state;
  // also if this process does not live to note it
  await system.unlink(join(directory, 'trusted')).catch(() => undefined);
  onNotice?.('the index has lost changes that were damaged; what it had lost is read from the body files');
  return 'repaired';
}

async function start(
  options: DiskOptions,
  system: FileSystem,
  records: KeyValue,
  state: State | 'empty',
): Promise<OpenDisk> {
  const { directory } = options;
  const run = randomUUID().replaceAll('-', '').slice(0, 12);
  const boot = options.boot === undefined ? await bootOf(system) : options.boot;
  const [totals, floor, last] = await Promise.all([totalsKey, floorKey, runKey].map((key) => records.get(key)));
  const counted = totals === undefined ? null : decodeTotals(totals);
  const noted = await LastSequence.read(directory, system);
  const sequence = Math.max(noted ?? 0, counted?.sequence ?? 0);
  const index = new DiskIndex(records, run, { ...(counted ?? noTotals), sequence }, Number(floor?.toString() ?? 0));
  const files = new SegmentFiles(directory, system);
  const locks = new KeyLocks();
  const parts = { index, files, system, locks };
  await emptyTemporary(directory, system);
  for await (const [key, size] of index.entries(allGraves))
    files.buryFile(key.slice(2), bytes(Number(size.toString())));
  const lastRun = parseRun(last);
  const isTrusted = state === 'empty' || (await textOf(join(directory, 'trusted'), system)) !== null;
  const hasLost = state === 'repaired' || state === 'new' || (state === 'whole' && counted === null);
  if (hasLost) await recount(parts);
  const isRestarted = lastRun !== null && !lastRun.clean && (boot === null || lastRun.boot !== boot);
  if (isRestarted)
    options.onNotice?.('the machine went down without warning: everything is validated before its next use');
  const isCut =
    state === 'whole' && lastRun !== null && !isRestarted && (noted === null || sequence > (counted?.sequence ?? 0));
  if (isCut) options.onNotice?.('the index has lost its last changes: everything is validated before its next use');
  if (hasLost || isRestarted || isCut || !isTrusted) await index.distrustAll();
  if (hasLost) await adoptAll(parts, options);
  await index.change([{ type: 'put', key: runKey, value: encodeRun(boot, false) }], { durable: true });
  index.noteIn(await LastSequence.begin(directory, system, index.journal.totals.sequence));
  await system.writeText(join(directory, 'trusted'), run);
  const order = options.order ?? new InvalidationOrder();
  const needsSweep = lastRun !== null && (!lastRun.clean || isCut);
  return new OpenDisk(options, {
    ...parts,
    order,
    boot,
    needsSweep,
    retryAfter: options.retryAfter ?? milliseconds(5000),
  });
}

async function emptyTemporary(directory: string, system: FileSystem): Promise<void> {
  const path = join(directory, 'tmp');
  for await (const name of system.names(path)) await system.unlink(join(path, name));
}

async function adoptAll(parts: Parameters<typeof adopt>[0], { onNotice }: DiskOptions): Promise<void> {
  let adopted = 0;
  for await (const id of parts.files.names()) {
    if (parts.files.isBuried(id)) continue;
    try {
      if (await adopt(parts, id)) adopted++;
      else await parts.files.delete(id);
    } catch (error) {
      if (!isLost(error)) throw error;
      await parts.files.delete(id);
    }
  }
  parts.files.close();
  onNotice?.(`${adopted} body files have stored responses`);
}

async function bootOf(system: FileSystem): Promise<string | null> {
  try {
    return (await system.readText('/proc/sys/kernel/random/boot_id')).trim();
  } catch {
    return null;
  }
}
