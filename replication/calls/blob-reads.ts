import type { Bytes } from '../../config/units.js';
import type { Digest } from '../../wlis/trust/digest.js';

/** Bytes by their digest, to be given to others: what a BlobStore has. */
export interface BlobReads {
  lengthOf(digest: Digest): Bytes | undefined;
  /** Verified. @throws BlobStoreError */
  readWhole(digest: Digest): Promise<Buffer>;
  /** The bytes from `from` to before `to`: whoever gets them verifies their blocks. @throws BlobStoreError */
  readUnchecked(digest: Digest, from: Bytes, to: Bytes): AsyncIterable<Buffer>;
}
