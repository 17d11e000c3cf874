import { bytes, type Bytes } from '../../config/units.js';
import { RecentlyUsed } from '../../proxy/cache/recently-used.js';
import type { KnownNamespace } from '../directory/known-namespace.js';
import { openHead, type SignedHead } from '../trust/head.js';
import { NotBelieved } from '../trust/not-believed.js';
import type { KeyId, PublicKey } from '../trust/public-key.js';

interface Verified {
  readonly signed: SignedHead;
  readonly signer: KeyId;
}

/** Verifies heads; those that are shown again and again once. */
export class VerifiedHeads {
  readonly #known: RecentlyUsed<string, Verified>;

  constructor(limit: Bytes) {
    this.#known = new RecentlyUsed(limit);
  }

  /**
   * @param at who has shown it, and may have newer root statements where its signer is not known
   * @throws NotBelieved for one that is not true; `out-of-date` for one that proves nothing any more, or not yet
   */
  async open(jws: string, known: KnownNamespace, at: string, signal: AbortSignal): Promise<SignedHead> {
    const before = this.#known.use(jws);
    const signed =
      before !== undefined && before.signed.head.namespace === known.namespace && known.keyFor(before.signer) !== null
        ? before.signed
        : await this.#verify(jws, known, at, signal);
    switch (known.confirm(signed)) {
      case 'newer':
      case 'same':
      case 'older':
        return signed;
      case 'ended-epoch':
        throw new NotBelieved('out-of-date', 'head: of an epoch that has ended');
      case 'ahead':
        throw new NotBelieved('out-of-date', 'head: more than a day ahead of the clock of this node');
      case 'equivocation':
        throw new NotBelieved('equivocation', 'head: its primary has signed another root for the same change');
    }
  }

  async #verify(jws: string, known: KnownNamespace, at: string, signal: AbortSignal): Promise<SignedHead> {
    const by: { signer: KeyId | null; isUnknown: boolean } = { signer: null, isUnknown: false };
    const keyFor = (id: KeyId): PublicKey | null => {
      by.signer = id;
      const key = known.keyFor(id);
      by.isUnknown = key === null;
      return key;
    };
    const open = (): Promise<SignedHead> => openHead(jws, known.namespace, keyFor);
    const signed = await open().catch(async (error: unknown) => {
      if (!by.isUnknown || !(await known.seekKeys(at, signal))) throw error;
      return open();
    });
    const { signer } = by;
    if (signer !== null) this.#known.put(jws, { signed, signer }, bytes(2 * jws.length + perHead));
    return signed;
  }
}

const perHead = 500;
