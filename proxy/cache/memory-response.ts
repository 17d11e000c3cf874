import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import { endedAt, type Freshness } from './freshness.js';
import { bodyFootprint, fieldsFootprint, headFootprint } from './memory-footprint.js';
import type { Generation } from './response-store.js';
import type { SparseBody } from './sparse-body.js';
import type { ResponseMetadata } from './stored-response.js';
import { StoredVersion, type VersionContent } from './stored-version.js';

/** What a response in memory has beyond its metadata. */
export interface MemoryContent extends VersionContent {
  /** When, in the order of purges, the request was sent that it answered or that freshened it. */
  readonly generation: Generation;
  readonly body: SparseBody;
}

/** A response that holds its own bytes: whoever has it can read it, even when the store has let go of it. */
export class MemoryResponse extends StoredVersion {
  readonly generation: Generation;
  readonly #body: SparseBody;
  readonly #footprint: Bytes;
  #lastUse = 0;

  constructor(metadata: ResponseMetadata, content: MemoryContent) {
    super(metadata, content, content.body.held);
    this.generation = content.generation;
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
    const { id, generation, length, trailers } = this;
    const content = { id, generation, length, trailers, body: this.#body, invalidated };
    const marked = new MemoryResponse(this.metadataWith(freshness), content);
    marked.used(this.#lastUse);
    return marked;
  }
}
