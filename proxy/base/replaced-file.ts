import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Puts another file in the place of one, whole or not at all, for the owner of the process alone; its directory is made. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
