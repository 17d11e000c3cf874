import { bytes } from '../../../config/units.js';
import type { KeyValueChange } from '../../base/key-value.js';
import type { CacheKey } from '../cache-key.js';
import type { DiskResponse } from './disk-response.js';
import type { IndexChange } from './index-journal.js';
import type { ListChange } from './list-counts.js';
import { contentKey, graveKey, recordKey, segmentOfGrave, useKey } from './index-keys.js';
import { encodeRecord, type KeyRecord } from './key-record.js';
import { sizeOf, type Segment } from './segment.js';
import type { Grave, SegmentFiles } from './segment-files.js';

/** What is stored under a key before and after; null: nothing. */
export interface RecordChange {
  readonly key: CacheKey;
  readonly before: KeyRecord | null;
  readonly after: KeyRecord | null;
  /** The bytes of inline segments that are new in the index. */
  readonly contents?: readonly { readonly id: string; readonly data: Buffer }[];
  readonly onWritten?: () => void;
}

/**
 * The changes of the index that a change under a key comes to, with its place in the order of uses, the bytes
 * in the index, and the files that nothing refers to any more: they become graves, and graves that are referred to again
 * are none.
 */
export function indexChange(
  { key, before, after, contents, onWritten }: RecordChange,
  files: SegmentFiles,
): IndexChange {
  const old = before?.responses ?? none;
  const now = after?.responses ?? none;
  const gone = without(segmentsOf(old), segmentsOf(now));
  const isPartlyLoaded = files.partlyLoaded.mayBe(key);
  const buried = gone.filter(({ id, inline }) => !inline || isPartlyLoaded || files.isHeld(id)).map(graveOf);
  const raised = segmentsOf(now).filter(({ id }) => files.isBuried(id));
  const changes: KeyValueChange[] = [
    after === null ? del(recordKey(key)) : put(recordKey(key), encodeRecord(key, after)),
    ...useChanges(key, before, after),
    ...buried.map((one) => put(graveKey(one.id), encodeGrave(one))),
    ...gone.filter(({ id }) => !buried.some((one) => one.id === id)).map(({ id }) => del(contentKey(id))),
    ...raised.map(({ id }) => del(graveKey(id))),
  ];
  for (const { id, data } of contents ?? []) changes.push(put(contentKey(id), data));
  return {
    changes,
    responses: now.length - old.length,
    partial: partial(now) - partial(old),
    growth: bytes(total(now) - total(old)),
    growthInFiles: bytes(inFiles(now) - inFiles(old)),
    lists: listChanges(before, after),
    onWritten: () => {
      for (const one of buried) files.bury(one);
      for (const { id } of raised) files.raise(id);
      onWritten?.();
    },
  };
}

const none: readonly DiskResponse[] = [];

/** How many of them lack some of their bytes. */
export function partial(responses: readonly DiskResponse[]): number {
  let count = 0;
  for (const { complete } of responses) if (!complete) count++;
  return count;
}

const graveOf = (segment: Segment): Grave => ({ id: segment.id, size: sizeOf(segment), inline: segment.inline });

/** The changes of the index when a grave is cleared. */
export const graveCleared = ({ id, inline }: Grave): KeyValueChange[] =>
  inline ? [del(graveKey(id)), del(contentKey(id))] : [del(graveKey(id))];

const encodeGrave = ({ size, inline }: Grave): string => `${inline ? 'i' : ''}${size}`;

export function decodeGrave(key: string, value: Buffer): Grave {
  const text = value.toString('latin1');
  const inline = text.startsWith('i');
  const size = Number(inline ? text.slice(1) : text);
  return { id: segmentOfGrave(key), size: bytes(Number.isSafeInteger(size) ? size : 0), inline };
}

function useChanges(key: CacheKey, before: KeyRecord | null, after: KeyRecord | null): KeyValueChange[] {
  if (before?.use === after?.use && before?.list === after?.list) return [];
  return [
    ...(before === null ? [] : [del(useKey(before.use, before.list))]),
    ...(after === null ? [] : [useOf(key, after)]),
  ];
}

/** The place of a key in the order of uses. */
export const useOf = (key: CacheKey, { use, list, responses }: KeyRecord): KeyValueChange =>
  put(useKey(use, list), `${total(responses)} ${key}`);

const listChanges = (before: KeyRecord | null, after: KeyRecord | null): ListChange[] =>
  [inList(before, -1), inList(after, 1)].filter((one) => one !== null);

const inList = (record: KeyRecord | null, sign: 1 | -1): ListChange | null =>
  record && {
    list: record.list,
    responses: sign * record.responses.length,
    growth: bytes(sign * total(record.responses)),
  };

export const segmentsOf = (responses: readonly DiskResponse[]): Segment[] =>
  responses.flatMap(({ segments }) => segments);

function without(segments: readonly Segment[], others: readonly Segment[]): Segment[] {
  const kept = new Set(others.map(({ id }) => id));
  return segments.filter(({ id }) => !kept.has(id));
}

export const total = (responses: readonly DiskResponse[]): number => responses.reduce((sum, { size }) => sum + size, 0);

export const inFiles = (responses: readonly DiskResponse[]): number =>
  segmentsOf(responses).reduce((sum, one) => sum + (one.inline ? 0 : sizeOf(one)), 0);

const del = (key: string): KeyValueChange => ({ type: 'del', key });
const put = (key: string, value: Buffer | string): KeyValueChange => ({
  type: 'put',
  key,
  value: typeof value === 'string' ? Buffer.from(value) : value,
});
