import type { Head } from '../../wlis/trust/head.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { Change } from '../change-list.js';
import { parseDocument } from '../source/published-document.js';
import type { News } from './news.js';

/** What came of news since the start. */
export class TakenCount {
  #changes = 0;
  #bytesSpared = 0;

  /** Changes that were not known before; all there are where an epoch begins. */
  get changes(): number {
    return this.#changes;
  }

  /** Contents of changed documents that were here already, because they were moved, or have only other fields. */
  get bytesSpared(): number {
    return this.#bytesSpared;
  }

  /**
   * In slices, so that others have their turn. To be called before anything of it is pulled.
   * @param before the newest head that was known
   */
  async note(
    { taken, answer }: News,
    before: Head | null,
    has: (variant: Variant) => boolean,
    rest: () => Promise<void>,
  ): Promise<void> {
    if (taken === null) return;
    const isSameEpoch = before?.epoch === answer.head.head.epoch;
    let count = 0;
    for (const change of taken.changes) {
      if (++count % slice === 0) await rest();
      if (isSameEpoch && change.seq <= before.seq) continue;
      this.#changes++;
      // where an epoch begins it is only their numbers that have changed
      if (isSameEpoch) this.#bytesSpared += sparedBy(change, has);
    }
  }
}

function sparedBy({ path, document }: Change<string>, has: (variant: Variant) => boolean): number {
  if (document === null) return 0;
  const here = parseDocument(path, document).variants.filter(has);
  return here.reduce((sum, { length }) => sum + length, 0);
}

const slice = 256;
