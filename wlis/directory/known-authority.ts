import type { EpochMs } from '../../config/units.js';
import { parseNamespace, type Namespace } from '../namespace.js';
import { RootKeeper, type RootKeeperOptions } from '../root-keeper.js';
import { keyIdOf, type KeyId, type PublicKey } from '../trust/public-key.js';
import type { RootChain } from '../trust/root-chain.js';
import type { RootPin } from '../trust/root-pin.js';
import { keyForNamespace, type StatedNamespace } from '../trust/root-statement.js';

export interface KnownAuthorityOptions extends Omit<RootKeeperOptions, 'namespace'> {
  /** `https://docs.example.org` */
  readonly origin: string;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  /** There are other root statements than before. */
  readonly onNews: () => void;
}

/** Whom the root of an authority trusts to sign for each of its namespaces, as far as this node has learned it. */
export class KnownAuthority {
  readonly origin: string;
  readonly #options: KnownAuthorityOptions;
  readonly #roots: RootKeeper;

  private constructor(options: KnownAuthorityOptions, roots: RootKeeper) {
    this.origin = options.origin;
    this.#options = options;
    this.#roots = roots;
  }

  static async open(options: KnownAuthorityOptions): Promise<KnownAuthority> {
    const roots = await RootKeeper.open({ ...options, namespace: parseNamespace(`${options.origin}/`) });
    return new KnownAuthority(options, roots);
  }

  get isKnown(): boolean {
    return this.#roots.isKnown;
  }

  get chain(): RootChain {
    return this.#roots.chain;
  }

  get pin(): RootPin | null {
    return this.#roots.pin;
  }

  /** What its newest statement names. */
  get namespaces(): readonly StatedNamespace[] {
    return this.chain.at(-1)?.statement.namespaces ?? [];
  }

  states(namespace: Namespace): boolean {
    return this.namespaces.some((stated) => stated.namespace === namespace);
  }

  /** The key of that name if it signs for the namespace now. */
  keyFor(namespace: Namespace, id: KeyId): PublicKey | null {
    const statement = this.chain.at(-1)?.statement;
    return statement === undefined ? null : keyForNamespace(statement, namespace, this.#options.now())(id);
  }

  /** The same if it has ever done so. */
  everKeyFor(namespace: Namespace, id: KeyId): PublicKey | null {
    const stated = this.chain.flatMap(({ statement }) => statement.namespaces);
    const signers = stated.flatMap((one) => (one.namespace === namespace ? one.signers : []));
    return signers.find(({ key }) => keyIdOf(key) === id)?.key ?? null;
  }

  /** @throws CallFailed, NotBelieved: why nothing is known yet, or nothing better */
  learn(signal: AbortSignal): Promise<void> {
    return this.#watched(() => this.#roots.learn(signal));
  }

  /** @returns whether there are newer statements */
  seek(at: string, signal: AbortSignal): Promise<boolean> {
    return this.#watched(() => this.#roots.seek(at, signal));
  }

  /** @returns whether it was news @throws NotBelieved */
  offer(text: string): Promise<boolean> {
    return this.#watched(() => this.#roots.offer(text));
  }

  /** Waits until what is known is on disk. */
  settled(): Promise<void> {
    return this.#roots.settled();
  }

  /** What is on disk. */
  forget(): Promise<void> {
    return this.#roots.forget();
  }

  async #watched<T>(action: () => Promise<T>): Promise<T> {
    const before = this.chain;
    try {
      return await action();
    } finally {
      if (this.chain !== before) this.#options.onNews();
    }
  }
}
