import { accessSync, chmodSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Storage } from './peers/peer.js';

/** A new directory, in memory where there is a tmpfs for that; servers that give up root may write to it. */
export function makeScratch(name: string, storage: Storage = 'memory'): string {
  const parent = storage === 'disk' ? tmpdir() : parentInMemory();
  const directory = mkdtempSync(join(parent, `willis-bench-${name}-`));
  chmodSync(directory, 0o777);
  return directory;
}

export const removeScratch = (directory: string): void =>
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });

function parentInMemory(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}
