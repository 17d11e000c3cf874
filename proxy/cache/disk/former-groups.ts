import type { DiskIndex } from './disk-index.js';
import { formerGroups } from './index-keys.js';

const atOnce = 1000;

/** Takes out of an index of format 1 what it has besides: the keys of each group. */
export async function forgetFormerGroups(index: DiskIndex): Promise<void> {
  for (;;) {
    const keys: string[] = [];
    for await (const key of index.keys({ ...formerGroups, most: atOnce })) keys.push(key);
    if (keys.length === 0) return;
    await index.change(keys.map((key) => ({ type: 'del', key })));
  }
}
