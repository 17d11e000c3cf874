import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { KeyFileError } from './key-file-error.js';

/**
 * Makes a file for its owner alone, whole and on the disk when this returns.
 * @returns false if there is one of that name, which is left as it is
 * @throws Error of the system, and there is no such file
 */
export function createPrivateFile(path: string, text: string): boolean {
  const directory = dirname(path);
  const temporary = join(directory, `.${randomBytes(8).toString('hex')}.tmp`);
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // unlike a renaming this takes the place of nothing
    linkSync(temporary, path);
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  syncDirectory(directory);
  return true;
}

/**
 * The text of a file that holds secrets; null if there is none.
 * @throws KeyFileError if others than its owner may do anything with it, or it is longer than `longest`
 */
export function readPrivateFile(path: string, longest: number): string | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw unreadable(path, error);
  }
  try {
    const { mode, size } = fstatSync(file);
    checkPrivate(path, mode, '600');
    if (size > longest) throw new KeyFileError(`${path}: longer than ${longest} bytes`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw error instanceof KeyFileError ? error : unreadable(path, error);
  } finally {
    closeSync(file);
  }
}

/** Whether there is such a directory. @throws KeyFileError if others than its owner may do anything in it */
export function isPrivateDirectory(path: string): boolean {
  try {
    checkPrivate(path, statSync(path).mode, '700');
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error instanceof KeyFileError ? error : unreadable(path, error);
  }
}

/** Makes a directory for its owner alone, if it is not there. @throws KeyFileError if it is there and is not for him alone */
export function makePrivateDirectory(path: string): void {
  if (isPrivateDirectory(path)) return;
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  if (first !== undefined) syncDirectory(dirname(first));
}

function checkPrivate(path: string, mode: number, wanted: string): void {
  if ((mode & 0o077) === 0) return;
  const found = (mode & 0o7777).toString(8).padStart(4, '0');
  throw new KeyFileError(`${path}: others than its owner may use it (mode ${found}): chmod ${wanted} ${path}`);
}

/** The name of a file is on the disk once its directory is. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

const unreadable = (path: string, cause: unknown): KeyFileError =>
  new KeyFileError(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === code;
