import type { CacheKey } from '../cache-key.js';
import type { DiskIndex } from './disk-index.js';
import type { DiskResponse } from './disk-response.js';
import { LoadedSegments } from './disk-response.js';
import { allRecords, keyOfRecord } from './index-keys.js';
import type { SegmentFiles } from './segment-files.js';
import type { SegmentReader } from './segment-reader.js';
import { endOf, type Segment } from './segment.js';

export interface Verification {
  /** Stored responses that were read. */
  readonly responses: number;
  /** Those of them whose bytes could not be read, or were not what was stored. */
  readonly damaged: number;
}

export interface VerificationParts {
  readonly index: DiskIndex;
  readonly files: SegmentFiles;
  readonly reader: SegmentReader;
  /** A segment of a response could not be read. */
  readonly onDamaged: (response: DiskResponse, segment: Segment, error: unknown) => Promise<void>;
  /** Called after every key; false ends it. */
  readonly onProgress: (sofar: Verification) => boolean;
}

/** Reads every byte of what is stored and checks it, one block after the other, behind other work. */
export async function verify(parts: VerificationParts): Promise<Verification> {
  let sofar: Verification = { responses: 0, damaged: 0 };
  for await (const [found, value] of parts.index.entries(allRecords)) {
    const key = keyOfRecord(found);
    const responses = parts.index.decode(key, value)?.responses ?? [];
    for (const response of responses) {
      const isRight = await check(response, key, parts);
      sofar = { responses: sofar.responses + 1, damaged: sofar.damaged + (isRight ? 0 : 1) };
    }
    if (!parts.onProgress(sofar)) break;
  }
  return sofar;
}

async function check(response: DiskResponse, key: CacheKey, parts: VerificationParts): Promise<boolean> {
  const { files, reader, index } = parts;
  files.hold(response.segments);
  try {
    for (const segment of response.segments) {
      const error = await faultOf(segment, reader);
      if (error === null) continue;
      // it may have been replaced since the walk began
      const current = await index.record(key);
      if (current?.responses.some(({ segments }) => segments.some(({ id }) => id === segment.id)) !== true) continue;
      await parts.onDamaged(response, segment, error);
      return false;
    }
    return true;
  } finally {
    files.release(response.segments);
  }
}

async function faultOf(segment: Segment, reader: SegmentReader): Promise<Error | null> {
  const loaded = new LoadedSegments();
  try {
    for (let at: number = segment.from; at < endOf(segment);) {
      const block = await reader.blockAt(segment, at, loaded);
      at = block.at + block.data.length;
    }
    return null;
  } catch (error) {
    return error as Error;
  }
}
