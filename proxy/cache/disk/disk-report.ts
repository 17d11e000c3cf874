import { bytes, epochMs, type Bytes, type EpochMs } from '../../../config/units.js';
import { uriOfKey, type CacheKey } from '../cache-key.js';
import type { ClassUsage } from '../retention.js';
import { formatVersion } from './disk-format.js';
import { total } from './record-change.js';
import { sequenceOfUse, usesFrom } from './index-keys.js';
import type { OpenDisk } from './open-disk.js';
import type { UpkeepWork } from './upkeep.js';

/** How a store on disk fares. Nothing of it is found by reading body files. */
export interface DiskReport {
  readonly directory: string;
  /** Version of its format. */
  readonly format: number;
  /** False while the disk fails. */
  readonly isWell: boolean;
  /** What goes on by order of the operator. */
  readonly work: UpkeepWork | null;
  readonly responses: number;
  /** Responses evicted since it was opened. */
  readonly evicted: number;
  readonly limit: Bytes;
  /** All that counts against the limit. */
  readonly bytes: Bytes;
  readonly parts: DiskParts;
  /** Files of the index as they are: they may be larger than what is in them counts. */
  readonly indexFiles: Bytes;
  /** Body files that are to be deleted: somebody may read them still. */
  readonly deletedFiles: number;
  /** By retention, the ordinary class included. */
  readonly classes: readonly ClassUsage[];
  /** What was not used for the longest time of the ordinary class, and goes first. */
  readonly leastRecent: { readonly uri: string; readonly used: EpochMs; readonly bytes: Bytes } | null;
}

/** What counts against the limit. */
export interface DiskParts {
  /** Body files, in whole blocks of the file system. */
  readonly bodies: Bytes;
  /** Records, and the bodies that are short. */
  readonly records: Bytes;
  /** What the index takes beyond its records and its slack. */
  readonly index: Bytes;
  /** Body files that are to be deleted. */
  readonly deleted: Bytes;
  /** Kept free for what is being written. */
  readonly reserved: Bytes;
}

export const partsOf = ({ index, files, indexSize, room }: OpenDisk): DiskParts => {
  const { totals } = index.journal;
  return {
    bodies: totals.files,
    records: bytes(totals.bytes - totals.files),
    index: indexSize.excess,
    deleted: files.graveBytes,
    reserved: room.reserved,
  };
};

/** Rejects as the disk does. */
export async function diskReport(
  disk: OpenDisk,
  { directory, limit, work }: { readonly directory: string; readonly limit: Bytes; readonly work: UpkeepWork | null },
): Promise<DiskReport> {
  const { index, files, eviction, health, indexSize, classes } = disk;
  const parts = partsOf(disk);
  const { isWell } = health;
  return {
    ...{ directory, format: formatVersion, isWell, work, limit, parts },
    responses: index.journal.totals.responses,
    evicted: eviction.evicted,
    bytes: bytes(Object.values(parts).reduce((sum: number, one: Bytes) => sum + one, 0)),
    indexFiles: await indexSize.measured(),
    deletedFiles: files.graves,
    classes: classes.usage(),
    leastRecent: isWell ? await leastRecent(disk) : null,
  };
}

/** The order of use may have places that are of no use any more. */
const mostTried = 32;
const hour = 3_600_000;

async function leastRecent({ index }: OpenDisk): Promise<DiskReport['leastRecent']> {
  for await (const [found, value] of index.entries({ ...usesFrom(0, ''), most: mostTried })) {
    const text = value.toString();
    const key = text.slice(text.indexOf(' ') + 1) as CacheKey;
    const record = await index.record(key);
    if (record?.use !== sequenceOfUse(found)) continue;
    return { uri: uriOfKey(key), used: epochMs(record.hour * hour), bytes: bytes(total(record.responses)) };
  }
  return null;
}
