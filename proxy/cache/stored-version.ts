import type { Bytes, EpochMs } from '../../config/units.js';
import type { Fields } from '../http/fields.js';
import type { Source } from '../http/provenance.js';
import type { CacheKey } from './cache-key.js';
import type { Freshness } from './freshness.js';
import { isWhole } from './partial.js';
import type { Interval, ResponseMetadata, StoredResponse } from './stored-response.js';
import type { SelectingFields } from './vary.js';

/** What a version of a stored response has beyond its metadata, but for its bytes. */
export interface VersionContent {
  readonly id: string;
  readonly length: Bytes | null;
  readonly trailers: Fields;
  readonly invalidated: boolean;
}

/** A version of a stored response; how it comes by its bytes is up to the store that has it. */
export abstract class StoredVersion implements StoredResponse {
  readonly key: CacheKey;
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
  readonly selecting: SelectingFields;
  readonly requestTime: EpochMs;
  readonly responseTime: EpochMs;
  readonly freshness: Freshness;
  readonly groups: readonly string[];
  readonly source: Source | null;
  readonly contentName: string | undefined;
  readonly id: string;
  readonly length: Bytes | null;
  readonly held: readonly Interval[];
  readonly complete: boolean;
  readonly trailers: Fields;
  readonly invalidated: boolean;

  protected constructor(metadata: ResponseMetadata, content: VersionContent, held: readonly Interval[]) {
    this.key = metadata.key;
    this.status = metadata.status;
    this.reason = metadata.reason;
    this.fields = metadata.fields;
    this.selecting = metadata.selecting;
    this.requestTime = metadata.requestTime;
    this.responseTime = metadata.responseTime;
    this.freshness = metadata.freshness;
    this.groups = metadata.groups;
    this.source = metadata.source ?? null;
    this.contentName = metadata.contentName;
    this.id = content.id;
    this.length = content.length;
    this.held = held;
    this.complete = content.length !== null && isWhole(held, content.length);
    this.trailers = content.trailers;
    this.invalidated = content.invalidated;
  }

  /** Its metadata, but with that freshness. */
  protected metadataWith(freshness: Freshness): ResponseMetadata {
    const { key, status, reason, fields, selecting, requestTime, responseTime, groups, source, contentName } = this;
    const about = { key, status, reason, fields, selecting, requestTime, responseTime, freshness, groups };
    return { ...about, source, contentName };
  }
}
