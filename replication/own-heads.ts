import type { Digest } from '../wlis/trust/digest.js';
import { compareEpochs, type Epoch } from '../wlis/trust/epoch.js';
import type { Head } from '../wlis/trust/head.js';

/** So many are remembered. */
const mostKept = 4096;

/**
 * The heads that a primary has signed in its epoch, as far as it knows. A head with its signature that it does not know was
 * signed in a life that it has forgotten: it was restored from an older state, and its numbers are spent (protocol decision 11).
 */
export class OwnHeads {
  readonly #epoch: Epoch;
  /** By their numbers, ascending. A number has one root. */
  readonly #roots = new Map<number, Digest>();
  /** Of what was signed up to this number only that is known which is kept. */
  #dimUpTo: number;
  #last: number;

  /** @param seq how far the list of changes went when this began, and what its root was */
  constructor(epoch: Epoch, seq: number, root: Digest) {
    this.#epoch = epoch;
    this.#dimUpTo = seq;
    this.#last = seq;
    this.#roots.set(seq, root);
  }

  add({ seq, root }: Pick<Head, 'seq' | 'root'>): void {
    this.#roots.set(seq, root);
    this.#last = Math.max(this.#last, seq);
    if (this.#roots.size <= mostKept) return;
    for (const first of this.#roots.keys()) {
      this.#roots.delete(first);
      this.#dimUpTo = Math.max(this.#dimUpTo, first);
      return;
    }
  }

  /** False if it was certainly not signed in the life of this list of changes. */
  knows({ epoch, seq, root }: Pick<Head, 'epoch' | 'seq' | 'root'>): boolean {
    const order = compareEpochs(epoch, this.#epoch);
    if (order !== 0) return order < 0;
    const known = this.#roots.get(seq);
    if (known !== undefined) return known === root;
    return seq <= this.#dimUpTo && seq <= this.#last;
  }
}
