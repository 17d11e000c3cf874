import { bytes, type Bytes } from '../../config/units.js';
import { uriInside } from '../../wlis/namespace.js';
import { proofField } from '../../wlis/piggyback/proof-field.js';
import type { Digest } from '../../wlis/trust/digest.js';
import { proofUnderHead } from '../../wlis/trust/proof-answer.js';
import type { BlobReads } from '../calls/blob-reads.js';
import { proofSource } from '../calls/proof-making.js';
import type { HeldNamespace, Provable } from '../held-namespace.js';
import { RecentlyUsed } from '../../proxy/cache/recently-used.js';

interface MadeProof {
  /** Of the trie that it leads to: under another head with the same root it proves the same. */
  readonly root: Digest;
  readonly value: string | null;
}

/** The values of `WLIS-Proof`: those of documents that are asked for again and again are made once for each state of the trie. */
export class RawProofs {
  readonly #made: RecentlyUsed<string, MadeProof>;
  readonly #blobs: BlobReads;

  /** @param limit of what is kept in memory */
  constructor(blobs: BlobReads, limit: Bytes) {
    this.#blobs = blobs;
    this.#made = new RecentlyUsed(limit);
  }

  get size(): Bytes {
    return this.#made.size;
  }

  /**
   * What proves what there is at a path, or that there is nothing; null where it is too long for a field. What the list has is
   * read in this turn.
   */
  of(path: string, provable: Provable, held: HeldNamespace): string | null | Promise<string | null> {
    const key = held.namespace + path;
    const { root } = provable.trie;
    const known = this.#made.use(key);
    if (known?.root === root) return known.value;
    return this.#make(key, path, provable, held);
  }

  async #make(key: string, path: string, provable: Provable, held: HeldNamespace): Promise<string | null> {
    const source = await proofSource(path, provable, held, this.#blobs);
    const uri = uriInside(held.namespace, path);
    const value =
      proofField(proofUnderHead(uri, source)) ??
      // a verifier that has the rest asks for block lists by themselves
      proofField(proofUnderHead(uri, { ...source, blockList: () => null }));
    const { root } = source.trie;
    this.#made.put(key, { root, value }, bytes(key.length + (value?.length ?? 0) + perProof));
    return value;
  }
}

/** Root, objects, and the place in the table. */
const perProof = 400;
