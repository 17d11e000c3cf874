import { lstat, readdir, realpath, stat, type Dirent, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fingerprintOf, isBelow } from './file-taking.js';
import type { Fingerprint } from './source-file.js';

/** What stands under a name. Links are followed, as long as they stay below the top. */
export type Entry =
  | FileEntry
  | { readonly kind: 'directory'; readonly real: string; readonly isLink: boolean }
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly reason: RefusedEntry }
  | { readonly kind: 'unreadable'; readonly reason: string };

export interface FileEntry {
  readonly kind: 'file';
  /** Where it really is. */
  readonly real: string;
  /** The directory that it really is in. */
  readonly place: string;
  readonly device: number;
  readonly fingerprint: Fingerprint;
}

/** `outside`: a link that leads out of the directory; `dangling`: to nothing; `special`: neither a file nor a directory. */
export type RefusedEntry = 'outside' | 'dangling' | 'special';

const calls = {
  lstat: promisify(lstat),
  stat: promisify(stat),
  realpath: promisify(realpath.native),
  readdir: promisify(readdir) as (path: string, options: { withFileTypes: true }) => Promise<Dirent[]>,
};

/** Whether an entry of a listing is a directory, or a link that may be to one. */
export type ListedKind = 'file' | 'directory' | 'link' | 'special';

export async function listing(directory: string): Promise<Map<string, ListedKind>> {
  const entries = await calls.readdir(directory, { withFileTypes: true });
  return new Map(entries.map((entry) => [entry.name, listedKind(entry)]));
}

export const realPathOf = (path: string): Promise<string> => calls.realpath(path);

export const isLink = (directory: string, name: string): Promise<boolean> =>
  calls.lstat(join(directory, name)).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );

/** @param root the top, as it really is */
export async function lookAt(directory: string, name: string, root: string): Promise<Entry> {
  const path = join(directory, name);
  try {
    const stats = await calls.lstat(path);
    if (stats.isSymbolicLink()) return await lookThrough(path, root);
    return entryOf(path, directory, stats, false);
  } catch (error) {
    return failed(error, 'gone');
  }
}

async function lookThrough(path: string, root: string): Promise<Entry> {
  try {
    const real = await calls.realpath(path);
    if (!isBelow(real, root)) return { kind: 'refused', reason: 'outside' };
    return entryOf(real, dirname(real), await calls.stat(real), true);
  } catch (error) {
    return failed(error, 'dangling');
  }
}

function entryOf(real: string, place: string, stats: Stats, isLink: boolean): Entry {
  if (stats.isDirectory()) return { kind: 'directory', real, isLink };
  if (!stats.isFile()) return { kind: 'refused', reason: 'special' };
  return { kind: 'file', real, place, device: stats.dev, fingerprint: fingerprintOf(stats) };
}

function failed(error: unknown, missing: 'gone' | 'dangling'): Entry {
  const { code = 'error' } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return missing === 'gone' ? { kind: 'gone' } : refusedDangling;
  return code === 'ELOOP' ? refusedDangling : { kind: 'unreadable', reason: code };
}

const refusedDangling: Entry = { kind: 'refused', reason: 'dangling' };

function listedKind(entry: Dirent): ListedKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'link' : 'special';
}
