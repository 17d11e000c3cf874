import { createHash } from 'node:crypto';
import { Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { bytes } from '../../config/units.js';
import { digestFrom } from '../../wlis/trust/digest.js';
import type { BlobStore } from '../blob-store.js';
import { siblingCodings } from './site-layout.js';
import type { SourceFile } from './source-file.js';

/** The name of the file whose compressed form one of that name may be; undefined if none. */
export function plainNameOf(name: string): string | undefined {
  const suffix = siblingCodings.find(([one]) => name.endsWith(one) && name.length > one.length)?.[0];
  return suffix === undefined ? undefined : name.slice(0, -suffix.length);
}

/**
 * Whether the bytes of a file are, decompressed, just those of another: times say nothing certain of that. Decompresses no
 * more than would fit.
 * @throws BlobStoreError
 */
export async function isCompressedForm(
  name: string,
  file: SourceFile,
  plain: SourceFile,
  blobs: BlobStore,
): Promise<boolean> {
  const stored = Readable.from(blobs.read(file.digest, bytes(0), file.size, file.blocks), { objectMode: false });
  const decompress: Transform = name.endsWith('.br') ? createBrotliDecompress() : createGunzip();
  let failure: unknown = null;
  stored.on('error', (error) => {
    failure = error;
    decompress.destroy();
  });
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const chunk of stored.pipe(decompress) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > plain.size) return false;
      hash.update(chunk);
    }
  } catch {
    // not compressed, or its end is missing
    if (failure !== null) throw failure as Error;
    return false;
  } finally {
    stored.destroy();
    decompress.destroy();
  }
  return digestFrom(hash.digest()) === plain.digest;
}
