import type { Bytes, EpochMs } from '../../config/units.js';
import { SMALLEST_BLOCK } from '../../wlis/trust/block-list.js';
import type { Digest } from '../../wlis/trust/digest.js';

/** What tells one state of a file from another without reading it. */
export interface Fingerprint {
  readonly size: Bytes;
  readonly mtime: EpochMs;
  readonly ctime: EpochMs;
  readonly inode: number;
}

export const sameFingerprint = (a: Fingerprint, b: Fingerprint): boolean =>
  a.size === b.size && a.mtime === b.mtime && a.ctime === b.ctime && a.inode === b.inode;

/** A file whose bytes are in the store. */
export interface SourceFile extends Fingerprint {
  readonly digest: Digest;
  readonly blocks: Digest;
  readonly isText: boolean;
  /** Whole seconds: when these bytes, and not only the file, were modified. */
  readonly lastModified: EpochMs;
  /** Directory that it really is in. */
  readonly place: string;
  /** Of a compressed file: whether it is the compressed form of just these bytes. */
  readonly formOf?: { readonly digest: Digest; readonly is: boolean };
}

/** What of a file is in the store: its bytes, and the block list if there are several blocks. */
export const blobsOf = ({ digest, blocks, size }: SourceFile): Digest[] =>
  size > SMALLEST_BLOCK ? [digest, blocks] : [digest];
