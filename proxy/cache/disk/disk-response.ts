import type { Bytes, EpochMs } from '../../../config/units.js';
import { bytes } from '../../../config/units.js';
import type { Fields } from '../../http/fields.js';
import type { CacheKey } from '../cache-key.js';
import { endedAt, type Freshness } from '../freshness.js';
import type { Generation } from '../response-store.js';
import type { SparseBody } from '../sparse-body.js';
import type { Interval, ResponseMetadata, StoredResponse } from '../stored-response.js';
import type { SelectingFields } from '../vary.js';
import { recordSize } from './disk-footprint.js';
import { endOf, heldBy, sizeOf, type Segment } from './segment.js';

/** What a response on disk has beyond its metadata. */
export interface DiskContent {
  readonly id: string;
  /** When, in the order of uses and versions of the store, it was stored or freshened. */
  readonly sequence: number;
  /** The process that stored or freshened it, and when, in its order of purges, the request for that was sent. */
  readonly run: string;
  readonly generation: Generation;
  readonly segments: readonly Segment[];
  readonly length: Bytes | null;
  readonly trailers: Fields;
  readonly invalidated: boolean;
}

/** A response on disk, and as much of its bytes as was loaded already. */
export class DiskResponse implements StoredResponse {
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
  readonly length: Bytes | null;
  readonly held: readonly Interval[];
  readonly complete: boolean;
  readonly trailers: Fields;
  readonly invalidated: boolean;
  /** All that was found under its key, if it was found there. */
  siblings: readonly DiskResponse[] | null = null;
  readonly #content: DiskContent;
  /** Contents of segments, or digests of their blocks, by the name of the segment. They never change. */
  #loaded: LoadedSegments | null;

  constructor(metadata: ResponseMetadata, content: DiskContent, loaded: LoadedSegments | null = null) {
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
    this.length = content.length;
    this.held = held(content.segments);
    const [first] = this.held;
    this.complete =
      content.length !== null && (content.length === 0 || (first?.from === 0 && first.to >= content.length));
    this.trailers = content.trailers;
    this.invalidated = content.invalidated;
    this.#content = content;
    this.#loaded = loaded;
  }

  get content(): DiskContent {
    return this.#content;
  }

  get segments(): readonly Segment[] {
    return this.#content.segments;
  }

  get generation(): Generation {
    return this.#content.generation;
  }

  get loaded(): LoadedSegments {
    return (this.#loaded ??= new LoadedSegments());
  }

  /** Gives it its bytes, which are known from elsewhere. */
  give({ chunks }: SparseBody): void {
    const [segment] = this.segments;
    if (segment === undefined || this.segments.length > 1 || segment.length !== this.length) return;
    this.loaded.contents.set(segment.id, chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
  }

  /** What it counts against the limit of the store, beside its bytes. */
  get headSize(): Bytes {
    return recordSize(this, this.trailers);
  }

  /** What it counts against the limit of the store. */
  get size(): Bytes {
    let size: number = this.headSize;
    for (const segment of this.segments) size += sizeOf(segment);
    return bytes(size);
  }

  /** The same version, to be validated before its next use. */
  asInvalidated(): DiskResponse {
    return new DiskResponse(this, { ...this.#content, invalidated: true }, this.#loaded);
  }

  /** The same version, its lifetime ended at that moment. */
  asEnded(moment: EpochMs): DiskResponse {
    return new DiskResponse(metadataOf(this, endedAt(this.freshness, moment)), this.#content, this.#loaded);
  }
}

const held = (segments: readonly Segment[]): readonly Interval[] =>
  segments.length === 1 ? segments.map((one) => ({ from: one.from, to: endOf(one) })) : heldBy(segments);

/** What was read of segments and found to be right. */
export class LoadedSegments {
  readonly contents = new Map<string, Buffer>();
  readonly blockDigests = new Map<string, Buffer>();
  /** The block that was read last, for who begins to read where somebody made sure that it can be read. */
  block: { readonly segment: string; readonly index: number; readonly data: Buffer } | null = null;
}

export function metadataOf(response: ResponseMetadata, freshness: Freshness = response.freshness): ResponseMetadata {
  const { key, status, reason, fields, selecting, requestTime, responseTime, groups } = response;
  return { key, status, reason, fields, selecting, requestTime, responseTime, freshness, groups };
}
