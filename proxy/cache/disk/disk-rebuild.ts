import { bytes } from '../../../config/units.js';
import { KeyValueError, type KeyValueChange } from '../../base/key-value.js';
import type { CacheKey } from '../cache-key.js';
import { sameSelecting } from '../same-selecting.js';
import { isLost } from './disk-fault.js';
import type { DiskIndex } from './disk-index.js';
import { DiskResponse } from './disk-response.js';
import {
  allContents,
  allCounts,
  allRecords,
  keyOfRecord,
  listOfCount,
  retentionKey,
  segmentOfContent,
} from './index-keys.js';
import { countChange, decodeCount, type ListCount } from './list-counts.js';
import { unpackResponse, type KeyRecord } from './key-record.js';
import type { KeyLocks } from './key-locks.js';
import { NameFilter } from './name-filter.js';
import { indexChange, inFiles, partial, segmentsOf, total, useOf } from './record-change.js';
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
import { folderCount, type SegmentFiles } from './segment-files.js';
import type { FileSystem } from './file-system.js';
import type { Segment } from './segment.js';

export interface RebuildParts {
  readonly index: DiskIndex;
  readonly files: SegmentFiles;
  readonly system: FileSystem;
  readonly locks: KeyLocks;
}

/** Reads what the index has counted for each list of uses. */
export async function readCounts(index: DiskIndex): Promise<void> {
  const counts = new Map<string, ListCount>();
  for await (const [found, value] of index.entries(allCounts)) {
    const count = decodeCount(value);
    if (count !== null) counts.set(listOfCount(found), count);
  }
  index.journal.lists.correct(counts);
}

/** How far a rebuild has come, and whether it is to go on. */
export interface Rebuilding {
  /** Aborted, it ends; what is left to do is done when the store is opened the next time. */
  readonly signal: AbortSignal | null;
  /** So much of about so much is done. */
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

/**
 * Counts what the index has, takes out records that are damaged and bytes that no record refers to, and makes the order of
 * uses anew. For an index that may have lost some.
 */
export async function recount({ index }: RebuildParts, work: Rebuilding): Promise<void> {
  let responses = 0;
  let size = 0;
  let inFile = 0;
  let incomplete = 0;
  const lists = new Map<string, ListCount>();
  const referred = new NameFilter();
  const changes = new Changes(index, work);
  for await (const [found, value] of index.entries(allRecords)) {
    const key = keyOfRecord(found);
    const record = index.decode(key, value);
    if (record === null) await changes.add({ type: 'del', key: found });
    else {
      responses += record.responses.length;
      size += total(record.responses);
      inFile += inFiles(record.responses);
      incomplete += partial(record.responses);
      addTo(lists, record);
      for (const { id, inline } of segmentsOf(record.responses)) if (inline) referred.add(id);
      await changes.add(useOf(key, record));
    }
  }
  for await (const found of index.keys(allContents))
    if (!referred.mayHave(segmentOfContent(found))) await changes.add({ type: 'del', key: found });
  await changes.end();
  const { sequence } = index.journal.totals;
  index.journal.correct({ responses, bytes: bytes(size), files: bytes(inFile), partial: incomplete, sequence });
  await correctCounts(index, lists);
}

/** Puts every key that has a record into the order of uses again. */
export async function restoreUses(index: DiskIndex): Promise<void> {
  const changes = new Changes(index, { signal: null });
  for await (const [found, value] of index.entries(allRecords)) {
    const key = keyOfRecord(found);
    const record = index.decode(key, value);
    if (record !== null) await changes.add(useOf(key, record));
  }
  await changes.end();
}

/** Takes up again what only body files know of, and deletes files that are of no use. Gives how many responses that are. */
export async function adoptAll(parts: RebuildParts, { signal, onProgress }: Rebuilding): Promise<number> {
  const { files, index } = parts;
  const before = index.journal.totals.responses;
  for (let folder = 0; folder < folderCount; folder++) {
    for await (const id of files.namesIn(folder)) {
      if (signal?.aborted === true) throw stopped();
      if (files.isBuried(id)) continue;
      try {
        if (!(await adopt(parts, id))) await files.delete(id);
      } catch (error) {
        if (!isLost(error)) throw error;
        await files.delete(id);
      }
    }
    onProgress?.(folder + 1, folderCount);
  }
  files.close();
  return index.journal.totals.responses - before;
}

const stopped = (): KeyValueError => new KeyValueError('unwell', 'the store was closed before its index was whole');

const atOnce = 1000;

/** Changes past the journal, many at once. */
class Changes {
  readonly #index: DiskIndex;
  readonly #work: Rebuilding;
  #waiting: KeyValueChange[] = [];

  constructor(index: DiskIndex, work: Rebuilding) {
    this.#index = index;
    this.#work = work;
  }

  async add(change: KeyValueChange): Promise<void> {
    if (this.#work.signal?.aborted === true) throw stopped();
    if (this.#waiting.push(change) >= atOnce) await this.end();
  }

  async end(): Promise<void> {
    const changes = this.#waiting;
    this.#waiting = [];
    await this.#index.change(changes);
  }
}

function addTo(lists: Map<string, ListCount>, { list, responses }: KeyRecord): void {
  if (list === '') return;
  const before = lists.get(list);
  const size = bytes((before?.bytes ?? 0) + total(responses));
  lists.set(list, { responses: (before?.responses ?? 0) + responses.length, bytes: size });
}

/** What is stored again from files is in no list but the ordinary one, until every key was looked at again. */
async function correctCounts(index: DiskIndex, lists: ReadonlyMap<string, ListCount>): Promise<void> {
  const changes: KeyValueChange[] = [{ type: 'del', key: retentionKey }];
  for await (const key of index.keys(allCounts)) changes.push({ type: 'del', key });
  await index.change([...changes, ...[...lists].map(countChange)]);
  index.journal.lists.correct(lists);
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
async function adopt(parts: RebuildParts, id: string): Promise<boolean> {
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
    const after = {
      ...{ use: index.journal.nextSequence(), hour: 0, list: before?.list ?? '' },
      responses: [response, ...kept],
    };
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
  const stated = unpackResponse(key, packed, { run: index.run, floor: 0, marks: null });
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
