import { readlink } from 'node:fs/promises';
import { resolve } from 'node:path';

/** A name on the way to a file, and the directory in which it is looked up. */
export interface PathStep {
  readonly directory: string;
  readonly name: string;
}

const mostLinks = 40;

/** The names that are looked up on the way to a file, each in its directory: its own, and those of links to it. */
export async function stepsTo(path: string): Promise<PathStep[]> {
  const steps: PathStep[] = [];
  const ahead = namesOf(path);
  let here = '/';
  for (let links = 0; ahead.length > 0 && links < mostLinks;) {
    const name = ahead.shift() as string;
    const target = await readlink(resolve(here, name)).catch(() => null);
    if (target !== null || ahead.length === 0) steps.push({ directory: here, name });
    if (target === null) here = resolve(here, name);
    else {
      links++;
      const [base, rest] = target.startsWith('/') ? ['/', target] : [here, target];
      ahead.unshift(...namesOf(rest));
      here = base;
    }
  }
  return steps;
}

const namesOf = (path: string): string[] => path.split('/').filter((name) => name !== '' && name !== '.');
