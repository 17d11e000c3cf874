import { bytes } from '../../../config/units.js';
import type { CacheKey } from '../cache-key.js';
import { sameSelecting } from '../same-selecting.js';
import type { DiskIndex } from './disk-index.js';
import { DiskResponse } from './disk-response.js';
import { allRecords, keyOfRecord } from './index-keys.js';
import { unpackResponse } from './key-record.js';
import type { KeyLocks } from './key-locks.js';
import { indexChange, inFiles, segmentsOf, total } from './record-change.js';
import {
  DamagedSegment,
  decodeFooter,
  decodeHeader,
  ENDING_LENGTH,
  footerLength,
  headerLength,
  PREAMBLE_LENGTH,
  type SegmentHeader,
} from './segment-format.js';
import type { SegmentFiles } from './segment-files.js';
import type { FileSystem } from './file-system.js';
import type { Segment } from './segment.js';

export interface RebuildParts {
  readonly index: DiskIndex;
  readonly files: SegmentFiles;
  readonly system: FileSystem;
  readonly locks: KeyLocks;
}

/** Counts what the index has; takes out records that are damaged. For an index that may have lost some. */
export async function recount({ index }: RebuildParts): Promise<void> {
  let responses = 0;
  let size = 0;
  let inFile = 0;
  for await (const [found, value] of index.entries(allRecords)) {
    const record = index.decode(keyOfRecord(found), value);
    if (record === null) {
      await index.change([{ type: 'del', key: found }]);
      continue;
    }
    responses += record.responses.length;
    size += total(record.responses);
    inFile += inFiles(record.responses);
  }
  const { sequence } = index.journal.totals;
  index.journal.correct({ responses, bytes: bytes(size), files: bytes(inFile), sequence });
}

/** What a body file says of itself. */
interface Described {
  readonly key: CacheKey;
  readonly header: SegmentHeader;
  readonly offset: number;
}

/**
 * Takes up again what only a body file knows of, to be validated before its next use: of a whole response, not of parts.
 * Gives whether the file is now, or was already, that of a stored response; others are of no use.
 */
export async function adopt(parts: RebuildParts, id: string): Promise<boolean> {
  const { index, locks, files } = parts;
  const described = await describe(parts, id);
  return locks.run(described.key, async () => {
    const before = await index.record(described.key);
    if (segmentsOf(before?.responses ?? []).some((one) => one.id === id)) return true;
    const response = await responseIn(parts, described);
    if (response?.complete !== true) return false;
    const others = before?.responses ?? [];
    const twin = others.find(({ selecting }) => sameSelecting(selecting, response.selecting));
    if (twin !== undefined && (twin.complete || twin.responseTime > response.responseTime)) return false;
    const kept = others.filter((one) => one !== twin);
    const after = { use: index.journal.nextSequence(), hour: 0, responses: [response, ...kept] };
    await index.journal.write(indexChange({ key: described.key, before, after }, files));
    return true;
  });
}

/** Whether a stored response has its bytes in a body file. */
export async function isReferred(parts: RebuildParts, id: string): Promise<boolean> {
  const { key } = await describe(parts, id);
  return parts.locks.run(key, async () => {
    const record = await parts.index.record(key);
    return segmentsOf(record?.responses ?? []).some((one) => one.id === id);
  });
}

/** Rejects with DamagedSegment if it is not a body file. */
async function describe({ files }: RebuildParts, id: string): Promise<Described> {
  const preamble = await readExactly(files, id, 0, PREAMBLE_LENGTH);
  const length = headerLength(preamble);
  const header = decodeHeader(preamble, await readExactly(files, id, PREAMBLE_LENGTH, length));
  const { key } = header.response as { key: CacheKey };
  if (header.id !== id || typeof key !== 'string') throw new DamagedSegment('it has another name');
  return { key, header, offset: PREAMBLE_LENGTH + length };
}

async function responseIn({ index, files, system }: RebuildParts, described: Described): Promise<DiskResponse | null> {
  const { key, header, offset } = described;
  const { id, from } = header;
  const size = await system.size(files.pathOf(id));
  if (size < offset + ENDING_LENGTH) throw new DamagedSegment('its file is too short');
  const ending = await readExactly(files, id, size - ENDING_LENGTH, ENDING_LENGTH);
  const footerAt = size - ENDING_LENGTH - footerLength(ending);
  if (footerAt < offset) throw new DamagedSegment('its file is too short');
  const footer = decodeFooter(await readExactly(files, id, footerAt, footerLength(ending)), ending);
  if (offset + footer.length !== footerAt) throw new DamagedSegment('its length is not what it says');
  const { length: announced, packed } = header.response as { length: number | null; packed: unknown };
  const ended = footer.ended ? from + footer.length : null;
  const length = announced ?? ended;
  const segment: Segment = {
    ...{ id, inline: false, from, length: footer.length, blockSize: footer.blockSize, offset: bytes(offset) },
    digest: footer.digest.toString('base64'),
  };
  const stated = unpackResponse(key, packed, { run: index.run, floor: 0 });
  return new DiskResponse(stated, {
    ...stated.content,
    id: `${id}r`,
    segments: [segment],
    length: length === null ? null : bytes(length),
    invalidated: true,
  });
}

async function readExactly(files: SegmentFiles, id: string, position: number, length: number): Promise<Buffer> {
  const into = Buffer.alloc(length);
  if ((await files.read(id, into, bytes(position))) < length) throw new DamagedSegment('its file is too short');
  return into;
}
