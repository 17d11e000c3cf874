import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { isSystemError } from './config-file.js';

/** For its owner alone. */
const newMode = 0o600;

/**
 * Puts a text in place of a file at once: who reads it sees the old one or the new one, whole, whatever happens. A new
 * file is for its owner alone; another keeps its owner and group, and, if it has secrets, what others may do with it is taken
 * away.
 * @throws Error of the system, and the file is as it was
 */
export function replaceFile(path: string, text: string, has: 'secrets' | 'no secrets' = 'secrets'): void {
  const before = statOf(path);
  const place = before === null ? path : realpathSync(path);
  const temporary = `${place}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = openSync(temporary, 'wx', newMode);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (before !== null) keepOwner(temporary, before, has === 'secrets' ? 0o770 : 0o777);
    renameSync(temporary, place);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return null;
    throw error;
  }
}

function keepOwner(path: string, { uid, gid, mode }: Stats, kept: number): void {
  const own = statSync(path);
  if (own.uid !== uid || own.gid !== gid) chownSync(path, uid, gid);
  chmodSync(path, mode & kept);
}
