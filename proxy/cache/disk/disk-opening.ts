import { randomUUID } from 'node:crypto';
import { KeyValueError } from '../../base/key-value.js';
import { DirectoryLock } from './directory-lock.js';
import { prepareDirectory } from './disk-format.js';
import { DiskIndex } from './disk-index.js';
import type { DiskOptions } from './disk-options.js';
import { DiskStoreError } from './disk-store-error.js';
import { machineFileSystem, type FileSystem } from './file-system.js';
import { KeyLocks } from './key-locks.js';
import { OpenDisk } from './open-disk.js';
import { SegmentFiles } from './segment-files.js';

/**
 * Opens what is in a directory. Where there is a store that cannot be used for the moment (its disk is full, or its index
 * takes longer to repair than there is patience) it begins unwell, and goes on when it can.
 *
 * @throws DiskStoreError if another process has it, its format is not known, or there is none and it cannot be made
 */
export async function openDisk(options: DiskOptions): Promise<OpenDisk> {
  const { directory } = options;
  const system = options.system ?? machineFileSystem;
  const found = await prepareDirectory(directory, system);
  const disk = new OpenDisk(options, {
    index: new DiskIndex(randomUUID().replaceAll('-', '').slice(0, 12)),
    files: new SegmentFiles(directory, system),
    system,
    locks: new KeyLocks(),
    lock: new DirectoryLock(directory, system),
    boot: options.boot === undefined ? await bootOf(system) : options.boot,
  });
  try {
    await disk.begin(found);
    return disk;
  } catch (error) {
    await disk.close();
    throw refusal(directory, error);
  }
}

function refusal(directory: string, error: unknown): DiskStoreError {
  return error instanceof KeyValueError && error.fault === 'in-use'
    ? new DiskStoreError('in-use', `the store in ${directory} is used by another process`, { cause: error })
    : new DiskStoreError('unusable', `the store in ${directory} cannot be used: ${String(error)}`, { cause: error });
}

async function bootOf(system: FileSystem): Promise<string | null> {
  try {
    return (await system.readText('/proc/sys/kernel/random/boot_id')).trim();
  } catch {
    return null;
  }
}
