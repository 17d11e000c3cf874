import { close, constants, fstat, open, readlink, realpath, type Stats } from 'node:fs';
import { promisify } from 'node:util';
import { bytes, epochMs, type EpochMs } from '../../config/units.js';
import { BlobStoreError } from '../blob-store-error.js';
import type { Descriptor } from '../blob-content.js';
import type { BlobStore } from '../blob-store.js';
import { sameFingerprint, type Fingerprint, type SourceFile } from './source-file.js';

export interface FileToTake {
  /** Where it really is. */
  readonly real: string;
  /** The directory that it really is in. */
  readonly place: string;
  /** The device that it is on. */
  readonly device: number;
  /** Outside of it nothing is read. */
  readonly root: string;
  readonly fingerprint: Fingerprint;
  /** What of the name was in the store before. */
  readonly known: SourceFile | undefined;
}

/**
 * `changed`: it is not, or not any more, what was looked at; another look tells. `outside`: its path has come to lead out of the
 * directory. `unreadable`: the system does not let us.
 */
export type Taking =
  | { readonly kind: 'taken'; readonly file: SourceFile }
  | { readonly kind: 'changed' | 'outside' }
  | { readonly kind: 'unreadable'; readonly error: unknown };

/** Never follows a link, nor waits for whom a pipe is written by. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Copies a file into the store, if it is the same before and after. @throws BlobStoreError full, unusable
 */
export async function takeFile(wanted: FileToTake, blobs: BlobStore, now: EpochMs): Promise<Taking> {
  let file: Descriptor;
  try {
    file = await calls.open(wanted.real, flags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(code ?? '')
      ? { kind: 'changed' }
      : { kind: 'unreadable', error };
  }
  try {
    return await taken(wanted, file, blobs, now);
  } catch (error) {
    if (!(error instanceof BlobStoreError)) return { kind: 'unreadable', error };
    if (error.fault !== 'changed') throw error;
    return { kind: 'changed' };
  } finally {
    await calls.close(file);
  }
}

async function taken(wanted: FileToTake, file: Descriptor, blobs: BlobStore, now: EpochMs): Promise<Taking> {
  // a directory on the way may have become a link since it was looked at
  const path = await pathOf(file, wanted.real);
  if (!isBelow(path, wanted.root)) return { kind: 'outside' };
  const blob = await blobs.putFile(file, wanted.fingerprint.size, wanted.device);
  // the same after it was read, so that it was the same before
  const after = await calls.fstat(file);
  if (!after.isFile() || !sameFingerprint(fingerprintOf(after), wanted.fingerprint)) return { kind: 'changed' };
  const { known, fingerprint, place } = wanted;
  const { size, mtime, ctime, inode } = fingerprint;
  const { digest, blocks, isText } = blob;
  const lastModified = known?.digest === digest ? known.lastModified : wholeSecond(fingerprint.mtime, now);
  return { kind: 'taken', file: { size, mtime, ctime, inode, digest, blocks, isText, lastModified, place } };
}

export const fingerprintOf = (stats: Pick<Stats, 'size' | 'mtimeMs' | 'ctimeMs' | 'ino'>): Fingerprint => ({
  size: bytes(stats.size),
  mtime: epochMs(stats.mtimeMs),
  ctime: epochMs(stats.ctimeMs),
  inode: stats.ino,
});

export const isBelow = (path: string, root: string): boolean =>
  path === root || path.startsWith(root === '/' ? root : `${root}/`);

/** Of an open file; where the system does not tell, what its path leads to now. */
async function pathOf(file: Descriptor, path: string): Promise<string> {
  try {
    return await calls.readlink(`/proc/self/fd/${file}`);
  } catch {
    return calls.realpath(path);
  }
}

const calls = {
  open: promisify(open),
  close: promisify(close),
  fstat: promisify(fstat) as (file: Descriptor) => Promise<Stats>,
  readlink: promisify(readlink) as (path: string) => Promise<string>,
  realpath: promisify(realpath.native) as (path: string) => Promise<string>,
};

/** Not in the future (RFC 9110 §8.8.2.1), not before 1970. */
const wholeSecond = (mtime: EpochMs, now: EpochMs): EpochMs =>
  epochMs(Math.floor(Math.min(Math.max(mtime, 0), now) / 1000) * 1000);
