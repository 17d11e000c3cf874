import { join } from 'node:path';
import { errorCode } from './disk-fault.js';
import { DiskStoreError } from './disk-store-error.js';
import type { FileSystem } from './file-system.js';

const version = 1;
const formatLine = `willis store ${version}\n`;

/**
 * Makes a directory a store, if it is none yet. Gives whether it was new.
 * @throws DiskStoreError for a format of a later version, or of something else
 */
export async function prepareDirectory(directory: string, system: FileSystem): Promise<boolean> {
  const format = join(directory, 'format');
  try {
    await system.makeDirectory(directory);
    const written = await textOf(format, system);
    if (written !== null) checkFormat(directory, written);
    await system.makeDirectory(join(directory, 'tmp'));
    await system.makeDirectory(join(directory, 'bodies'));
    if (written === null) await system.writeText(format, formatLine);
    return written === null;
  } catch (error) {
    if (error instanceof DiskStoreError) throw error;
    const code = errorCode(error);
    throw new DiskStoreError('unusable', `the store in ${directory} cannot be used: ${code || String(error)}`, {
      cause: error,
    });
  }
}

function checkFormat(directory: string, written: string): void {
  if (written === formatLine) return;
  const [, number] = /^willis store (\d+)\n$/.exec(written) ?? [];
  if (number === undefined) {
    throw new DiskStoreError('foreign', `the file format in ${directory} is not that of a store of Willis`);
  }
  if (Number(number) > version) {
    throw new DiskStoreError(
      'newer',
      `the store in ${directory} has format ${number}, from a later version of Willis; this one knows up to ${version}`,
    );
  }
}

/** Null if there is no such file. */
export async function textOf(path: string, system: FileSystem): Promise<string | null> {
  try {
    return await system.readText(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
