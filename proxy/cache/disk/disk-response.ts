import type { Bytes, EpochMs } from '../../../config/units.js';
import { bytes } from '../../../config/units.js';
import { endedAt } from '../freshness.js';
import type { Generation } from '../response-store.js';
import type { SparseBody } from '../sparse-body.js';
import type { Interval, ResponseMetadata } from '../stored-response.js';
import { StoredVersion, type VersionContent } from '../stored-version.js';
import { recordSize } from './disk-footprint.js';
import { endOf, heldBy, sizeOf, type Segment } from './segment.js';

/** What a response on disk has beyond its metadata. */
export interface DiskContent extends VersionContent {
  /** When, in the order of uses and versions of the store, it was stored or freshened. */
  readonly sequence: number;
  /** The process that stored or freshened it, and when, in its order of purges, the request for that was sent. */
  readonly run: string;
  readonly generation: Generation;
  readonly segments: readonly Segment[];
}

/** A response on disk, and as much of its bytes as was loaded already. */
export class DiskResponse extends StoredVersion {
  /** All that was found under its key, if it was found there. */
  siblings: readonly DiskResponse[] | null = null;
  readonly #content: DiskContent;
  /** Contents of segments, or digests of their blocks, by the name of the segment. They never change. */
  #loaded: LoadedSegments | null;

  constructor(metadata: ResponseMetadata, content: DiskContent, loaded: LoadedSegments | null = null) {
    super(metadata, content, held(content.segments));
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

  /** The same version, its bytes in other segments. */
  withSegments(segments: readonly Segment[]): DiskResponse {
    return new DiskResponse(this, { ...this.#content, segments });
  }

  /** The same version, its lifetime ended at that moment. */
  asEnded(moment: EpochMs): DiskResponse {
    return new DiskResponse(this.metadataWith(endedAt(this.freshness, moment)), this.#content, this.#loaded);
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
