import { bytes, epochMs, type Bytes, type EpochMs } from '../../../config/units.js';
import { uriOfKey, type CacheKey } from '../cache-key.js';
import type { ClassUsage } from '../retention.js';
import { formatVersion } from './disk-format.js';
import { total } from './record-change.js';
import { allUses, sequenceOfUse, usesFrom } from './index-keys.js';
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
  /** Those of them of which some bytes are missing; null if that is not known. */
  readonly partial: number | null;
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
  readonly leastRecent: (SizedUri & { readonly used: EpochMs }) | null;
  /** The largest first, with all variants; null if it was not asked for. */
  readonly largest: readonly SizedUri[] | null;
}

export interface SizedUri {
  readonly uri: string;
  readonly bytes: Bytes;
}

export interface ReportOptions {
  /** Whether to look for the largest, which takes a second for a million of responses. */
  readonly largest: boolean;
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
  { directory, limit, work }: Pick<DiskReport, 'directory' | 'limit' | 'work'>,
  options: ReportOptions,
): Promise<DiskReport> {
  const { index, files, eviction, health, indexSize, classes } = disk;
  const parts = partsOf(disk);
  const { isWell } = health;
  return {
    ...{ directory, format: formatVersion, isWell, work, limit, parts },
    responses: index.journal.totals.responses,
    partial: index.journal.totals.partial,
    evicted: eviction.evicted,
    bytes: bytes(parts.bodies + parts.records + parts.index + parts.deleted + parts.reserved),
    indexFiles: await indexSize.measured(),
    deletedFiles: files.graves,
    classes: classes.usage(),
    leastRecent: isWell ? await leastRecent(disk) : null,
    largest: isWell && options.largest ? await largest(disk) : null,
  };
}

/** The order of use may have places that are of no use any more. */
const mostTried = 32;
const hour = 3_600_000;

async function leastRecent({ index }: OpenDisk): Promise<DiskReport['leastRecent']> {
  for await (const [found, value] of index.entries({ ...usesFrom(0, ''), most: mostTried })) {
    const { key } = sizeAndKey(value);
    const record = await index.record(key);
    if (record?.use !== sequenceOfUse(found)) continue;
    return { uri: uriOfKey(key), used: epochMs(record.hour * hour), bytes: bytes(total(record.responses)) };
  }
  return null;
}

const mostLargest = 3;

async function largest({ index }: OpenDisk): Promise<SizedUri[]> {
  let found: { readonly size: number; readonly key: CacheKey }[] = [];
  for await (const [, value] of index.entries(allUses)) {
    const one = sizeAndKey(value);
    if (found.length === mostLargest && one.size <= (found.at(-1)?.size ?? 0)) continue;
    found = [...found, one].sort((a, b) => b.size - a.size).slice(0, mostLargest);
  }
  return found.map(({ key, size }) => ({ uri: uriOfKey(key), bytes: bytes(size) }));
}

/** As the order of uses has them. */
function sizeAndKey(value: Buffer): { readonly size: number; readonly key: CacheKey } {
  const text = value.toString();
  const space = text.indexOf(' ');
  return { size: Number(text.slice(0, space)), key: text.slice(space + 1) as CacheKey };
}
