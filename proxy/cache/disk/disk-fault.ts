import { KeyValueError } from '../../base/key-value.js';
import { DamagedSegment } from './segment-format.js';

/**
 * What went wrong with a disk.
 *
 * `damaged`: what was read is not what was written; only that is lost. `busy`: not now, too many files are open. `full`:
 * there is no room. `unwell`: nothing is to be expected of it for the moment.
 */
export type DiskFault = 'damaged' | 'busy' | 'full' | 'unwell';

export function diskFault(error: unknown): DiskFault {
  if (error instanceof DamagedSegment) return 'damaged';
  if (error instanceof KeyValueError) return /no space|ENOSPC|quota/i.test(error.message) ? 'full' : 'unwell';
  switch (errorCode(error)) {
    case 'EMFILE':
    case 'ENFILE':
      return 'busy';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'full';
    default:
      return 'unwell';
  }
}

/** Of a file that is read, what speaks of this file and not of the disk: it is gone, or cannot be read any more. */
export const isLost = (error: unknown): boolean =>
  error instanceof DamagedSegment || ['ENOENT', 'EIO', 'EISDIR', 'ENOTDIR'].includes(errorCode(error));

/** The name that the system has for it; empty if it has none. */
export function errorCode(error: unknown): string {
  const code: unknown = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}
