import { crc32c } from '../../http/crc32c.js';
import { readVarint, unsnappy } from './snappy.js';

/**
 * A table of LevelDB (https://github.com/google/leveldb/blob/main/doc/table_format.md), which checks the sums in its tables
 * only when it is told to, and the package does not tell it. Numbers are little-endian, handles are two varints: position
 * and length of a block.
 *
 *     blocks   content, how it is compressed (1: 0 not, 1 Snappy), CRC-32C of both, masked (4)
 *     footer   handle of the block that has the handles of filters, handle of the block that has those of the records,
 *              0 up to 40 bytes, magic (8)
 *
 * A block is a list of entries [shared, length of the key without that, length of the value, rest of the key, value], the
 * positions of some of them (4 each), and how many positions these are (4).
 */
const footerLength = 48;
const magic = Buffer.from('57fb808b247547db', 'hex');
const mostUnpacked = 256 * 1024 * 1024;

/** `torn`: it does not end as a table, as one that was not written to its end; `damaged`: it is not what was written. */
export type TableFault = 'torn' | 'damaged';

/** Reads all of a table and gives what is wrong with it; in steps, between which other work may go on. */
export function* faultsOf(table: Buffer): Generator<void, TableFault | null> {
  if (table.length < footerLength || !table.subarray(-magic.length).equals(magic)) return 'torn';
  const filters = handleAt(table, table.length - footerLength);
  const records = filters === null ? null : handleAt(table, filters.end);
  if (filters === null || records === null) return 'damaged';
  for (const handle of [filters, records]) {
    const listed = handlesIn(blockAt(table, handle));
    if (listed === null) return 'damaged';
    for (const one of listed) {
      if (!isRight(table, one)) return 'damaged';
      yield;
    }
  }
  return null;
}

interface Handle {
  readonly from: number;
  readonly length: number;
  /** Where the handle itself ends. */
  readonly end: number;
}

function handleAt(data: Buffer, at: number): Handle | null {
  const [from, middle] = readVarint(data, at);
  const [length, end] = readVarint(data, middle);
  return middle === 0 || end === 0 ? null : { from, length, end };
}

function isRight(table: Buffer, { from, length }: Handle): boolean {
  const end = from + length + 1;
  if (end + 4 > table.length - footerLength) return false;
  const sum = crc32c(table.subarray(from, end));
  // LevelDB masks sums, for sums of what has sums in it
  const masked = (((sum >>> 15) | (sum << 17)) + 0xa282_ead8) >>> 0;
  return table.readUInt32LE(end) === masked;
}

/** The content of a block; null if it is not what was written. */
function blockAt(table: Buffer, handle: Handle): Buffer | null {
  if (!isRight(table, handle)) return null;
  const content = table.subarray(handle.from, handle.from + handle.length);
  const compression = table[handle.from + handle.length];
  if (compression === 0) return content;
  return compression === 1 ? unsnappy(content, mostUnpacked) : null;
}

/** The values of a block, as handles. */
function handlesIn(block: Buffer | null): readonly Handle[] | null {
  if (block === null || block.length < 4) return null;
  const restarts = block.readUInt32LE(block.length - 4);
  const end = block.length - 4 - restarts * 4;
  const handles: Handle[] = [];
  for (let at = 0; at < end;) {
    const [, afterShared] = readVarint(block, at);
    const [rest, afterRest] = readVarint(block, afterShared);
    const [length, afterLength] = readVarint(block, afterRest);
    const handle = handleAt(block, afterLength + rest);
    const next = afterLength + rest + length;
    if (afterShared === 0 || afterRest === 0 || afterLength === 0 || handle?.end !== next) return null;
    handles.push(handle);
    at = next;
  }
  return handles;
}
