import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobStoreError } from './blob-store-error.js';
import { syncDirectory } from './large-blobs.js';

const version = 'willis blobs 1\n';

/** Makes the directory of a blob store, or finds that it is one that this program knows. @throws BlobStoreError newer */
export async function prepareBlobDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'format');
  const written = await readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });
  if (written === null) {
    await writeFile(path, version, { mode: 0o600 });
    await syncDirectory(directory);
  } else if (written !== version) {
    throw new BlobStoreError(
      'newer',
      `${path} says ${JSON.stringify(written.slice(0, 40))}, which this Willis does not know`,
    );
  }
}
