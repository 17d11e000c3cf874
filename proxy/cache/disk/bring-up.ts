import { bytes } from '../../../config/units.js';
import { isDamage } from '../../base/key-value.js';
import type { DirectoryLock } from './directory-lock.js';
import { textOf, trustedPath, writeFormat } from './disk-format.js';
import { DiskIndex } from './disk-index.js';
import type { DiskOptions } from './disk-options.js';
import { adoptAll, readCounts, recount, type Rebuilding } from './disk-rebuild.js';
import type { FileSystem } from './file-system.js';
import { GroupMarks } from './group-marks.js';
import { forgetFormerGroups } from './former-groups.js';
import { allGraves, runKey } from './index-keys.js';
import { LastSequence } from './index-loss.js';
import { doubtsOf, readState, type FormerState } from './index-state.js';
import type { KeyLocks } from './key-locks.js';
import { openRecords, setAside, type OpenedRecords, type Opening } from './open-records.js';
import { encodeRun } from './run-marker.js';
import type { SegmentFiles } from './segment-files.js';
import { decodeGrave } from './record-change.js';
import { prepareFolders } from './store-folders.js';
import { RebuildNote } from './store-notes.js';

export interface StoreParts {
  readonly index: DiskIndex;
  readonly files: SegmentFiles;
  readonly system: FileSystem;
  readonly locks: KeyLocks;
  readonly lock: DirectoryLock;
  readonly boot: string | null;
}

export interface BringUpOrder {
  /** Whether the directory was made a store just now, and the version of its format. */
  readonly isNew: boolean;
  readonly format: number;
  /** Whether nothing of this process was ever in use. */
  readonly isFirst: boolean;
  /** Whether the index is not to be taken as it is. */
  readonly mustRepair: boolean;
  /** The last number that this process has given in the order of uses and versions. */
  readonly sequence: number;
  readonly work: Rebuilding;
  /** Called when it turns out that opening it will not do, and it takes as long as there are records. */
  readonly onRepair: () => void;
}

export interface BroughtUp {
  readonly index: DiskIndex;
  /** Whether there may be files that nothing refers to. */
  readonly needsSweep: boolean;
  /** Tables of the index that were not looked through. */
  readonly unchecked: readonly string[];
  readonly rebuilt: Rebuilt;
}

/** How many responses were stored, are stored now, and of these were known to body files only. */
export interface Rebuilt {
  readonly before: number;
  readonly kept: number;
  readonly adopted: number;
}

/**
 * Opens the index of a store, or opens it again after it has failed:
 *
 * 1. The directory is locked; what a process that is no more was writing is deleted.
 * 2. The index is opened as it is; where it is damaged, repaired; where that is in vain, made anew.
 * 3. Where records may be lost everything is counted anew, and body files that no record refers to give what they know, or
 *    are deleted. Where invalidations may be lost everything is to be validated before its next use.
 *
 * Nobody else uses the index meanwhile. Rejects as the disk fails; what is to be made up for is then left to a later attempt,
 * of this process or another.
 */
export async function bringUp(parts: StoreParts, options: DiskOptions, order: BringUpOrder): Promise<BroughtUp> {
  await parts.lock.acquire();
  if (order.isFirst) await prepareFolders(options, parts.system);
  const note = new RebuildNote(options.directory, parts.system);
  const isRepair = order.mustRepair || (await note.isThere());
  const openings: Opening[] = isRepair ? ['repaired'] : ['as-it-is', 'repaired'];
  for (const opening of openings) {
    try {
      return await attempt(opening, { ...parts, options, order, note });
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
  }
  return attempt('anew', { ...parts, options, order, note });
}

interface Attempt extends StoreParts {
  readonly options: DiskOptions;
  readonly order: BringUpOrder;
  readonly note: RebuildNote;
}

async function attempt(opening: Opening, all: Attempt): Promise<BroughtUp> {
  const { options, system, note, order } = all;
  const beginRepair = async (): Promise<void> => {
    order.onRepair();
    await note.make();
  };
  if (opening !== 'as-it-is') await beginRepair();
  const opened = await openRecords(opening, options, system);
  try {
    const state = await readState(opened.records, options.directory, system);
    const hasLost = opened.hasLost || (state.totals === null && !order.isNew);
    if (hasLost) await beginRepair();
    if (hasLost && !order.isNew) options.onNotice?.(notices[opening]);
    return await begin({ ...opened, hasLost }, state, all);
  } catch (error) {
    await opened.records.close();
    throw error;
  }
}

const notices: Readonly<Record<Opening, string>> = {
  'as-it-is': 'the index has lost changes that were damaged; what it had lost is read from the body files',
  repaired: 'the index is repaired; what it had lost is read from the body files',
  anew: 'the index could not be repaired and is made anew from the body files',
};

async function begin(opened: OpenedRecords, state: FormerState, all: Attempt): Promise<BroughtUp> {
  const { order, options, boot, note, system } = all;
  const { directory, onNotice } = options;
  const index = indexOf(opened, state, all);
  const own = { ...all, index };
  await readCounts(index);
  await readGraves(own);
  if (opened.hasLost) await recount(own, order.work);
  const kept = index.journal.totals.responses;
  const doubts = opened.hasLost ? [] : doubtsOf(state, boot);
  for (const doubt of doubts) onNotice?.(`${doubt}: everything is validated before its next use`);
  if (opened.hasLost || doubts.length > 0 || !(await isTrusted(all))) await index.distrustAll();
  const adopted = opened.hasLost ? await adoptAll(own, order.work) : 0;
  if (opened.hasLost) onNotice?.(`${adopted} body files have stored responses`);
  if (order.format === 1) await forgetFormerGroups(index);
  await index.change([{ type: 'put', key: runKey, value: encodeRun(boot, false) }], { durable: true });
  index.noteIn(await LastSequence.begin(directory, system, index.journal.totals.sequence));
  await writeFormat(directory, system);
  await note.remove();
  await system.removeDirectory(setAside(directory));
  const { run, totals } = state;
  return {
    index,
    needsSweep: !opened.hasLost && run !== null && (!run.clean || doubts.length > 0),
    unchecked: opened.unchecked,
    rebuilt: { before: totals?.responses ?? 0, kept: kept + adopted, adopted },
  };
}

function indexOf({ records }: OpenedRecords, { totals, floor, marks, noted }: FormerState, all: Attempt): DiskIndex {
  const counted = totals ?? { responses: 0, bytes: bytes(0), files: bytes(0), partial: 0, sequence: 0 };
  const sequence = Math.max(noted ?? 0, counted.sequence, all.order.sequence);
  return DiskIndex.of(records, all.index.run, {
    totals: { ...counted, sequence },
    floor,
    marks: marks ?? new GroupMarks(),
  });
}

async function readGraves({ index, files }: StoreParts): Promise<void> {
  for await (const [key, value] of index.entries(allGraves)) files.bury(decodeGrave(key, value));
}

/** What a process that uses the store notes once it has failed to invalidate something; of itself it knows. */
async function isTrusted({ options, order, system }: Attempt): Promise<boolean> {
  return order.isNew || !order.isFirst || (await textOf(trustedPath(options.directory), system)) !== null;
}
