import { bytes, type Bytes } from '../../config/units.js';
import { RecentlyUsed } from '../../proxy/cache/recently-used.js';
import { checkBlockList, SMALLEST_BLOCK } from '../trust/block-list.js';
import { digestBytes, type Digest } from '../trust/digest.js';
import type { Variant } from '../trust/variant.js';

/** Block lists by their digest, however many readers want one. */
export class BlockLists {
  readonly #known: RecentlyUsed<Digest, Uint8Array>;
  readonly #asked = new Map<Digest, Promise<Uint8Array>>();

  constructor(limit: Bytes) {
    this.#known = new RecentlyUsed(limit);
  }

  /** That of a variant as far as it is at hand; null if it has to be asked for. */
  atHand(variant: Variant): Uint8Array | null {
    if (variant.length <= SMALLEST_BLOCK) {
      return variant.length === 0 ? none : digestBytes(variant.digest);
    }
    return this.#known.use(variant.blocks) ?? null;
  }

  /** One that came with a proof, by which it has been checked. */
  keep(variant: Variant, list: Uint8Array): void {
    this.#known.put(variant.blocks, list, bytes(list.length + perList));
  }

  /**
   * The same, asked for if need be: by one for all who want it meanwhile.
   * @param ask gives what somebody sent, which it has checked by `checkBlockList`
   */
  get(variant: Variant, ask: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const known = this.atHand(variant);
    if (known !== null) return Promise.resolve(known);
    const { blocks } = variant;
    const asked = this.#asked.get(blocks);
    if (asked !== undefined) return asked;
    const asking = ask()
      .then((list) => {
        checkBlockList(list, variant);
        this.keep(variant, list);
        return list;
      })
      .finally(() => this.#asked.delete(blocks));
    this.#asked.set(blocks, asking);
    return asking;
  }
}

const none = new Uint8Array(0);
const perList = 200;
