import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import type { Fields } from '../http/fields.js';
import type { CacheKey } from './cache-key.js';
import { endedAt, type Freshness } from './freshness.js';
import { bodyFootprint, fieldsFootprint, headFootprint } from './memory-footprint.js';
import type { Generation } from './response-store.js';
import type { SparseBody } from './sparse-body.js';
import type { Interval, ResponseMetadata, StoredResponse } from './stored-response.js';
import type { SelectingFields } from './vary.js';

/** What a response in memory has beyond its metadata. */
export interface MemoryContent {
  readonly id: string;
  /** When, in the order of purges, the request was sent that it answered or that freshened it. */
  readonly generation: Generation;
  readonly body: SparseBody;
  readonly length: Bytes | null;
  readonly trailers: Fields;
  readonly invalidated: boolean;
}

/** A response that holds its own bytes: whoever has it can read it, even when the store has let go of it. */
export class MemoryResponse implements StoredResponse {
  readonly key: CacheKey;
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
  readonly selecting: SelectingFields;
  readonly requestTime: EpochMs;
  readonly responseTime: EpochMs;
  readonly freshness: Freshness;
  readonly groups: readonly string[];
  readonly id: string;
  readonly generation: Generation;
  readonly length: Bytes | null;
  readonly held: readonly Interval[];
  readonly complete: boolean;
  readonly trailers: Fields;
  readonly invalidated: boolean;
  readonly #body: SparseBody;
  readonly #footprint: Bytes;
  #lastUse = 0;

  constructor(metadata: ResponseMetadata, content: MemoryContent) {
    this.key = metadata.key;
    this.status = metadata.status;
    this.reason = metadata.reason;
    this.fields = metadata.fields;
    this.selecting = metadata.selecting;
    this.requestTime = metadata.requestTime;
    this.responseTime = metadata.responseTime;
    this.freshness = metadata.freshness;
    this.groups = metadata.groups;
    this.id = content.id;
    this.generation = content.generation;
    this.length = content.length;
    this.held = content.body.held;
    this.complete = content.length !== null && content.body.isWhole(content.length);
    this.trailers = content.trailers;
    this.invalidated = content.invalidated;
    this.#body = content.body;
    this.#footprint = bytes(headFootprint(metadata) + fieldsFootprint(content.trailers) + bodyFootprint(content.body));
  }

  get body(): SparseBody {
    return this.#body;
  }

  /** What it counts against the limit of the store. */
  get footprint(): Bytes {
    return this.#footprint;
  }

  /** A number that grows with every use of the store, from the last time when this was used. */
  get lastUse(): number {
    return this.#lastUse;
  }

  used(at: number): void {
    this.#lastUse = at;
  }

  /** The same version, to be validated before its next use. */
  asInvalidated(): MemoryResponse {
    return this.#marked(this.freshness, true);
  }

  /** The same version, its lifetime ended at that moment. */
  asEnded(moment: EpochMs): MemoryResponse {
    return this.#marked(endedAt(this.freshness, moment), this.invalidated);
  }

  #marked(freshness: Freshness, invalidated: boolean): MemoryResponse {
    const { key, status, reason, fields, selecting, requestTime, responseTime, groups } = this;
    const { id, generation, length, trailers } = this;
    const marked = new MemoryResponse(
      { key, status, reason, fields, selecting, requestTime, responseTime, freshness, groups },
      { id, generation, length, trailers, body: this.#body, invalidated },
    );
    marked.used(this.#lastUse);
    return marked;
  }
}
