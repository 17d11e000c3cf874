import { existsSync, readdirSync, statSync, truncateSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder } from '../cache/disk/disk-example.js';
import type { Seeded } from './seeded.js';

/** How long the logs of an index are: what of them was forced to disk before a process was ready. */
export type Forced = ReadonlyMap<string, number>;

export function forcedTo(directory: string): Forced {
  const index = join(directory, 'index');
  const logs = existsSync(index) ? readdirSync(index).filter((name) => name.endsWith('.log')) : [];
  return new Map(logs.map((name) => [name, statSync(join(index, name), { throwIfNoEntry: false })?.size ?? 0]));
}

/**
 * What a loss of power may leave of what a killed process had written and not forced to disk: files that were made since lack
 * their end, are empty, or are not there, and the log of the index ends somewhere behind what was forced. The tables of the index
 * and their list are forced to disk by level itself.
 *
 * @param since when that process was started, in milliseconds of the epoch
 */
export function losePower(directory: string, since: number, forced: Forced, random: Seeded): void {
  for (const path of filesUnder(join(directory, 'bodies'))) {
    if (statSync(path).mtimeMs < since || random.chance(0.4)) continue;
    random.weighted<() => void>([
      [1, () => unlinkSync(path)],
      [1, () => truncateSync(path)],
      [2, () => truncateSync(path, random.below(statSync(path).size + 1))],
    ])();
  }
  for (const name of ['sequence', 'trusted']) {
    const path = join(directory, name);
    if (existsSync(path) && random.chance(0.3)) truncateSync(path);
  }
  const index = join(directory, 'index');
  const last = readdirSync(index)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .at(-1);
  if (last === undefined) return;
  const from = forced.get(last) ?? 0;
  const { size } = statSync(join(index, last));
  if (size > from) truncateSync(join(index, last), random.between(from, size));
}
