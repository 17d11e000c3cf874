/** `in-use`: another process has it; `newer`: written by a later version; `foreign`: something else; `unusable`: what disks do. */
export type DiskStoreFault = 'in-use' | 'newer' | 'foreign' | 'unusable';

/** Why a store on disk cannot be opened. The message names the directory and is for the operator. */
export class DiskStoreError extends Error {
  override readonly name = 'DiskStoreError';

  constructor(
    readonly fault: DiskStoreFault,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}
