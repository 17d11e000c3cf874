import { epochMs, type EpochMs } from '../../config/units.js';
import type { Logger } from '../../proxy/base/logger.js';
import { KnownGroup } from '../known-group.js';
import type { Namespace } from '../namespace.js';
import { openGroup, type SignedGroup } from '../trust/group.js';
import { judgeHead, openHead, type HeadJudgement, type SignedHead } from '../trust/head.js';
import { NotBelieved } from '../trust/not-believed.js';
import type { KeyId, PublicKey } from '../trust/public-key.js';
import { allowedGroup, type AllowedGroup } from './allowed-group.js';
import type { KnownAuthority } from './known-authority.js';
import type { KnownNamespace } from './known-namespace.js';

export interface LearnedNamespaceOptions {
  readonly namespace: Namespace;
  readonly authority: KnownAuthority;
  /** Whether a node of it may be there. */
  readonly allows: (url: string) => boolean;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly logger: Logger;
  readonly onGroup: (known: LearnedNamespace, leftOut: readonly string[]) => void;
  readonly onHead: (known: LearnedNamespace) => void;
  /** A later version of the group than the known one is said to be there. */
  readonly onHeardOf: (known: LearnedNamespace, at: string) => void;
}

/** What others have stated of a namespace, of which all has been verified. It is not shown to anybody before it has a group. */
export class LearnedNamespace implements KnownNamespace {
  readonly namespace: Namespace;
  /** When it was needed last. */
  used: EpochMs;
  /** When that was marked to be remembered last. */
  marked: EpochMs = epochMs(-Infinity);
  /** From when on a newer statement of the group is to be asked for. */
  renewAt: EpochMs = epochMs(Infinity);
  readonly #options: LearnedNamespaceOptions;
  readonly #known: KnownGroup;
  #allowed: AllowedGroup | null = null;
  #head: SignedHead | null = null;

  constructor(options: LearnedNamespaceOptions) {
    const { namespace, authority, now, logger } = options;
    this.#options = options;
    this.namespace = namespace;
    this.used = now();
    this.#known = new KnownGroup({
      ...{ namespace, now, logger },
      keyFor: (id) => authority.keyFor(namespace, id),
      everKeyFor: (id) => authority.everKeyFor(namespace, id),
    });
  }

  get authority(): KnownAuthority {
    return this.#options.authority;
  }

  get hasGroup(): boolean {
    return this.#allowed !== null;
  }

  get group(): SignedGroup {
    if (this.#allowed === null) throw new Error(`${this.namespace} is shown before its group is known`);
    return this.#allowed.signed;
  }

  get learned(): EpochMs {
    return this.#known.learned ?? this.#options.now();
  }

  get head(): SignedHead | null {
    return this.#head;
  }

  keyFor(id: KeyId): PublicKey | null {
    return this.authority.keyFor(this.namespace, id);
  }

  confirm(head: SignedHead): HeadJudgement {
    const judged = judgeHead(this.#head?.head ?? null, head.head, this.#options.now());
    if (judged === 'newer') {
      this.#head = head;
      this.#options.onHead(this);
    }
    return judged;
  }

  seekKeys(at: string, signal: AbortSignal): Promise<boolean> {
    return this.authority.seek(at, signal);
  }

  heardOf(version: number, at: string): void {
    if (version > this.group.group.version) this.#options.onHeardOf(this, at);
  }

  /** Takes a statement of the group that somebody sent. @returns whether it was news @throws NotBelieved */
  async take(jws: string): Promise<boolean> {
    if (jws === this.#known.current?.jws) return false;
    const signed = await openGroup(jws, this.namespace, (id) => this.keyFor(id));
    allowedGroup(signed, this.#options.allows);
    const isNews = await this.#known.take(jws, this.#options.now());
    this.#show();
    return isNews;
  }

  /** The same of a head. @throws NotBelieved */
  async takeHead(jws: string): Promise<HeadJudgement> {
    if (jws === this.#head?.jws) return 'same';
    const judged = this.confirm(await openHead(jws, this.namespace, (id) => this.keyFor(id)));
    if (judged === 'ahead') throw new NotBelieved('out-of-date', 'head: stated more than a day ahead of the clock');
    if (judged === 'equivocation') {
      throw new NotBelieved('equivocation', 'head: the primary has stated two roots for one change');
    }
    return judged;
  }

  /** What this node has kept itself. @throws NotBelieved */
  async recall(jws: string, learned: EpochMs, head: string | null): Promise<void> {
    await this.#known.recall(jws, learned);
    this.#show();
    if (head === null) return;
    const { authority, namespace } = this.#options;
    this.#head = await openHead(head, namespace, (id) => authority.everKeyFor(namespace, id));
  }

  #show(): void {
    const { current } = this.#known;
    if (current === null || current.jws === this.#allowed?.signed.jws) return;
    this.#allowed = allowedGroup(current, this.#options.allows);
    this.#options.onGroup(this, this.#allowed.refused);
  }
}
