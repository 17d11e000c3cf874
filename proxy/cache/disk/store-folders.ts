import { join } from 'node:path';
import { errorCode } from './disk-fault.js';
import { folders } from './disk-format.js';
import type { DiskOptions } from './disk-options.js';
import type { FileSystem } from './file-system.js';

/** What lies in the directory of a store, and is its own. */
const own = new Set<string>([
  ...['format', 'index', 'index.damaged', 'lock', 'rebuild', 'sequence', 'trusted', 'unchecked'],
  ...folders,
]);
const mostNamed = 3;

/**
 * Makes the folders of a store, should one be missing, and empties the one for what is being written: whatever is in it was
 * left by a process that is no more. What is not of the store is left alone, and counts for nothing; it is named once.
 */
export async function prepareFolders({ directory, onNotice }: DiskOptions, system: FileSystem): Promise<void> {
  const foreign: string[] = [];
  for await (const name of system.names(directory)) if (!own.has(name)) foreign.push(name);
  for (const name of folders) await system.makeDirectory(join(directory, name));
  const temporary = join(directory, 'tmp');
  for await (const name of system.names(temporary))
    if (!(await isRemoved(join(temporary, name), system))) foreign.push(join('tmp', name));
  for await (const name of system.names(join(directory, 'bodies')))
    if (!/^[0-9a-f]{2}$/.test(name)) foreign.push(join('bodies', name));
  if (foreign.length === 0) return;
  const more = foreign.length > mostNamed ? ` and ${foreign.length - mostNamed} more` : '';
  onNotice?.(`left alone, for it is not of the store: ${foreign.slice(0, mostNamed).join(', ')}${more}`);
}

/** Deletes a file; a directory is not of the store. */
async function isRemoved(path: string, system: FileSystem): Promise<boolean> {
  try {
    await system.unlink(path);
    return true;
  } catch (error) {
    if (!['EISDIR', 'EPERM'].includes(errorCode(error))) throw error;
    return false;
  }
}
