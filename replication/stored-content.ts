import type { Bytes } from '../config/units.js';
import { SMALLEST_BLOCK } from '../wlis/trust/block-list.js';
import type { Variant } from '../wlis/trust/variant.js';
import type { BlobStore } from './blob-store.js';
import type { DocumentContent } from './held-namespace.js';

/** The contents of documents that are all in the store. */
export class StoredContent implements DocumentContent {
  readonly #blobs: BlobStore;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  has({ length, digest, blocks }: Variant): boolean {
    return length === 0 || (this.#blobs.has(digest) && (length <= SMALLEST_BLOCK || this.#blobs.has(blocks)));
  }

  read({ length, digest, blocks }: Variant, from: Bytes, to: Bytes): AsyncIterable<Buffer> {
    return length === 0 ? nothing() : this.#blobs.read(digest, from, to, blocks);
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- there is nothing to wait for
async function* nothing(): AsyncGenerator<Buffer> {
  yield* [];
}
