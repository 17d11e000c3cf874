import { join } from 'node:path';
import { errorCode } from './disk-fault.js';
import { DiskStoreError } from './disk-store-error.js';
import type { FileSystem } from './file-system.js';

/**
 * 1: the index has the keys of each cache group. 2: it has marks instead, see group-marks.ts. A store of format 1 is taken
 * over when it is opened.
 */
export const formatVersion = 2;

/** A directory as a store finds it. */
export interface FoundDirectory {
  readonly isNew: boolean;
  /** The format that it has, until it is written anew. */
  readonly format: number;
}

/**
 * Makes a directory a store, if it is none yet.
 * @throws DiskStoreError for a format of a later version, or of something else, and if it cannot be made
 */
export async function prepareDirectory(directory: string, system: FileSystem): Promise<FoundDirectory> {
  try {
    await system.makeDirectory(directory);
    const written = await textOf(formatPath(directory), system);
    if (written !== null) return { isNew: false, format: versionIn(written, directory) };
    for (const name of folders) await system.makeDirectory(join(directory, name));
    await writeFormat(directory, system);
    return { isNew: true, format: formatVersion };
  } catch (error) {
    if (error instanceof DiskStoreError) throw error;
    const code = errorCode(error);
    throw new DiskStoreError('unusable', `the store in ${directory} cannot be used: ${code || String(error)}`, {
      cause: error,
    });
  }
}

/** From now on it has the format of this version. */
export async function writeFormat(directory: string, system: FileSystem): Promise<void> {
  const line = `willis store ${formatVersion}\n`;
  if ((await textOf(formatPath(directory), system)) === line) return;
  const next = join(directory, 'tmp', 'format');
  await system.writeText(next, line);
  await system.rename(next, formatPath(directory));
}

export const trustedPath = (directory: string): string => join(directory, 'trusted');

const formatPath = (directory: string): string => join(directory, 'format');

export const folders = ['tmp', 'bodies'] as const;

/** One that is empty was not written to its end when the machine went down; it may be any. */
function versionIn(written: string, directory: string): number {
  if (written === '') return 1;
  const [, number] = /^willis store ([1-9]\d*)\n$/.exec(written) ?? [];
  if (number === undefined) {
    throw new DiskStoreError('foreign', `the file format in ${directory} is not that of a store of Willis`);
  }
  if (Number(number) > formatVersion) {
    throw new DiskStoreError(
      'newer',
      `the store in ${directory} has format ${number}, from a later version of Willis; this one knows up to ${formatVersion}`,
    );
  }
  return Number(number);
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
