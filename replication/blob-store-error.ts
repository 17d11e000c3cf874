import { KeyValueError } from '../proxy/base/key-value.js';

/**
 * `in-use`: another process has it; `newer`: written by a later version; `full`: over its limit, or no room on the disk;
 * `damaged`: bytes are not what was stored; `missing`: there is no such blob; `changed`: the content was not as long as said;
 * `unusable`: what else disks do.
 */
export type BlobFault = 'in-use' | 'newer' | 'full' | 'damaged' | 'missing' | 'changed' | 'unusable';

/** What went wrong with stored bytes. The message names the directory or the digest, and is for the operator. */
export class BlobStoreError extends Error {
  override readonly name = 'BlobStoreError';

  constructor(
    readonly fault: BlobFault,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

export const damaged = (what: string): BlobStoreError =>
  new BlobStoreError('damaged', `${what} is not what was stored`);

/** What the system or the table of small blobs said, as an error that names the directory. Other errors are given as they are. */
export function blobStoreError(error: unknown, directory: string): unknown {
  if (error instanceof BlobStoreError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof KeyValueError && error.fault === 'in-use') {
    return new BlobStoreError('in-use', `${directory} is in use by another process`, { cause: error });
  }
  if (['ENOSPC', 'EDQUOT'].includes(code) || (error instanceof KeyValueError && /no space|quota/i.test(message))) {
    return new BlobStoreError('full', `there is no room on the disk of ${directory}`, { cause: error });
  }
  if (code === '' && !(error instanceof KeyValueError)) return error;
  return new BlobStoreError('unusable', `${directory} cannot be used: ${message}`, { cause: error });
}
