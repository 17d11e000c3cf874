import type { EpochMs } from '../config/units.js';
import type { Logger } from '../proxy/base/logger.js';
import type { Namespace } from './namespace.js';
import { openGroup, type SignedGroup } from './trust/group.js';
import { judgeGroup, admittedMember } from './trust/group-standing.js';
import type { GroupMember } from './trust/group-member.js';
import { NotBelieved } from './trust/not-believed.js';
import type { KeyId, PublicKey } from './trust/public-key.js';

export interface KnownGroupOptions {
  readonly namespace: Namespace;
  /** The key of that name if it signs for the namespace. */
  readonly keyFor: (id: KeyId) => PublicKey | null;
  /** The same if it has ever done so; `keyFor` where that is not known. */
  readonly everKeyFor?: (id: KeyId) => PublicKey | null;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly logger: Logger;
}

/** The newest statement of the group of a namespace that a replica has heard of. */
export class KnownGroup {
  readonly #options: KnownGroupOptions;
  #known: { readonly signed: SignedGroup; readonly learned: EpochMs } | null = null;

  constructor(options: KnownGroupOptions) {
    this.#options = options;
  }

  get current(): SignedGroup | null {
    return this.#known?.signed ?? null;
  }

  get learned(): EpochMs | null {
    return this.#known?.learned ?? null;
  }

  /**
   * Takes a statement that somebody sent, if it is news.
   * @param learned when it was
   * @returns whether it was
   * @throws NotBelieved for one that is not true, of an ended epoch, or ahead of the clock
   */
  take(jws: string, learned: EpochMs): Promise<boolean> {
    return this.#take(jws, learned, this.#options.keyFor);
  }

  /** The same of what this node has kept itself: whoever signs by now, it says where others may be. @throws NotBelieved */
  recall(jws: string, learned: EpochMs): Promise<boolean> {
    const { keyFor, everKeyFor = keyFor } = this.#options;
    return this.#take(jws, learned, everKeyFor);
  }

  async #take(jws: string, learned: EpochMs, keyFor: (id: KeyId) => PublicKey | null): Promise<boolean> {
    if (jws === this.#known?.signed.jws) return false;
    const { namespace, now } = this.#options;
    const signed = await openGroup(jws, namespace, keyFor);
    switch (judgeGroup(this.current?.group ?? null, signed.group, now())) {
      case 'newer':
        this.#known = { signed, learned };
        return true;
      case 'same':
      case 'older':
        return false;
      case 'ended-epoch':
        throw new NotBelieved('out-of-date', 'group: of an epoch that has ended');
      case 'ahead':
        throw new NotBelieved('out-of-date', 'group: stated more than a day ahead of the clock of this node');
      case 'equivocation':
        throw this.#equivocation();
    }
  }

  /** The member of that name, if it is to be given what members get. */
  member(id: KeyId): GroupMember | null {
    if (this.#known === null) return null;
    const { signed, learned } = this.#known;
    return admittedMember(signed.group, id, learned, this.#options.now());
  }

  #equivocation(): NotBelieved {
    const { namespace, logger } = this.#options;
    const said = 'the primary has stated two groups under one version';
    logger.error({ code: 'group-equivocation', namespace, version: this.current?.group.version }, said);
    return new NotBelieved('equivocation', `group: ${said}`);
  }
}
