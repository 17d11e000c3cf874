import { stat } from 'node:fs/promises';
import { stepsTo } from '../../proxy/base/path-steps.js';
import type { DirectoryWatch } from './directory-watch.js';
import { realPathOf } from './entry-look.js';

/** The top of a source, as it is at a moment. */
export interface SourceRoot {
  readonly real: string;
  /** Tells it from another directory that came to stand in its place. */
  readonly identity: string;
}

/** Why there is no directory to look at, in words that follow its path. */
export type RootFault = string;

export async function findRoot(directory: string): Promise<SourceRoot | RootFault> {
  try {
    const real = await realPathOf(directory);
    const found = await stat(real);
    if (!found.isDirectory()) return 'is no directory';
    return { real, identity: `${real} ${found.dev} ${found.ino}` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'is not there' : `cannot be reached (${code ?? String(error)})`;
  }
}

/** Watches where names are looked up on the way to a directory: links may come to lead elsewhere. */
export async function watchWay(directory: string, watch: DirectoryWatch, before: readonly string[]): Promise<string[]> {
  const steps = await stepsTo(directory);
  // no path below the top begins so
  const names = [...new Set(steps.map((step) => `//${step.directory}`))];
  for (const name of before) if (!names.includes(name)) watch.unwatch(name);
  for (const name of names) if (!before.includes(name)) watch.watch(name, name.slice(2));
  return names;
}

/** Whether news are of the way, and not from below the top. */
export const isOfWay = (directory: string): boolean => directory.startsWith('//');
