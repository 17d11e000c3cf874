import { bytes } from '../../../config/units.js';
import type { KeyValueChange } from '../../base/key-value.js';
import type { CacheKey } from '../cache-key.js';
import type { DiskResponse } from './disk-response.js';
import type { IndexChange } from './index-journal.js';
import { contentKey, graveKey, groupKeys, recordKey, useKey } from './index-keys.js';
import { encodeRecord, type KeyRecord } from './key-record.js';
import { sizeOf, type Segment } from './segment.js';
import type { SegmentFiles } from './segment-files.js';

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
 * The changes of the index that a change under a key comes to, with its places in the order of uses and in groups, the bytes
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
  const raised = segmentsOf(now).filter(({ id }) => files.isBuried(id));
  const changes: KeyValueChange[] = [
    after === null ? del(recordKey(key)) : put(recordKey(key), encodeRecord(key, after)),
    ...useChanges(key, before, after),
    ...groupChanges(old, now),
    ...gone.map((one) => (one.inline ? del(contentKey(one.id)) : put(graveKey(one.id), String(sizeOf(one))))),
    ...raised.map(({ id }) => del(graveKey(id))),
  ];
  for (const { id, data } of contents ?? []) changes.push(put(contentKey(id), data));
  return {
    changes,
    responses: now.length - old.length,
    growth: bytes(total(now) - total(old)),
    growthInFiles: bytes(inFiles(now) - inFiles(old)),
    onWritten: () => {
      for (const one of gone) if (!one.inline) files.bury(one);
      for (const { id } of raised) files.raise(id);
      onWritten?.();
    },
  };
}

const none: readonly DiskResponse[] = [];

function useChanges(key: CacheKey, before: KeyRecord | null, after: KeyRecord | null): KeyValueChange[] {
  if (before?.use === after?.use) return [];
  return [
    ...(before === null ? [] : [del(useKey(before.use))]),
    ...(after === null ? [] : [put(useKey(after.use), `${total(after.responses)} ${key}`)]),
  ];
}

function groupChanges(old: readonly DiskResponse[], now: readonly DiskResponse[]): KeyValueChange[] {
  const left = new Set(old.flatMap(groupKeys));
  const joined = new Set(now.flatMap(groupKeys));
  return [
    ...[...left].filter((one) => !joined.has(one)).map(del),
    ...[...joined].filter((one) => !left.has(one)).map((one) => put(one, '')),
  ];
}

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
