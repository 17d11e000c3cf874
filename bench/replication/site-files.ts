import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Bytes that no compression makes less of, the same for the same name. */
export function bytesOf(name: string, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; 32 * i < length; i++) parts.push(createHash('sha256').update(`${name} ${i}`).digest());
  return Buffer.concat(parts).subarray(0, length);
}

/** Files of a length, a hundred in each directory, in turns of their names. */
export function writeSite(directory: string, count: number, length: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const path = `d${Math.floor(n / 100)}/${n}.bin`;
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytesOf(path, length));
    return path;
  });
}

/** Finished files that wait to be moved to their names, as an editor or rsync leaves them for a moment. */
export function prepareEdits(directory: string, paths: readonly string[], length: number): PreparedEdit[] {
  return paths.map((path, n) => {
    const temporary = join(directory, `.edit-${n}`);
    const content = bytesOf(`edit ${n} of ${path}`, length);
    writeFileSync(temporary, content);
    return { path, content, apply: () => renameSync(temporary, join(directory, path)) };
  });
}

export interface PreparedEdit {
  readonly path: string;
  readonly content: Buffer;
  readonly apply: () => void;
}
