import { bytes, type Bytes, type EpochMs } from '../../config/units.js';
import { originOf, type Namespace } from '../namespace.js';
import { compareVersions, type Epoch } from '../trust/epoch.js';
import type { Head, SignedHead } from '../trust/head.js';
import { rootChainText, type RootChain } from '../trust/root-chain.js';
import type { SignedName } from '../trust/name-statement.js';
import type { KnownAuthority } from './known-authority.js';
import type { LearnedNamespace } from './learned-namespace.js';
import type { BookChange, NamespaceBook } from './namespace-book.js';
import { RecordsFeed } from './records-feed.js';
import type { FeedCursor, FeedPage } from './records-format.js';

/** What a node that holds a namespace itself has to state of it. */
export interface HeldStatements {
  readonly namespace: Namespace;
  readonly group: string | null;
  readonly head: SignedHead | null;
  readonly chain: RootChain;
}

export interface StatementFeedOptions {
  readonly book: NamespaceBook;
  /** What is held by this node now. */
  readonly held: () => Promise<readonly HeldStatements[]>;
  /** Whether what was learned of others is told too; otherwise only what is held. */
  readonly tellsAll: () => boolean;
  /** Another one for each time that it is begun anew. */
  readonly newEpoch: () => Epoch;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
}

/** What is fed at once, but for the record that goes beyond it. */
const mostBytes: Bytes = bytes(1_048_576);

/** Tells other directories what this node knows and holds: roots before what they are needed for. */
export class StatementFeed {
  readonly #options: StatementFeedOptions;
  #feed: RecordsFeed;
  #tellsAll: boolean;
  /** Those of which this node itself is the one who knows best. */
  #held = new Set<Namespace>();
  readonly #heads = new Map<Namespace, Head>();

  constructor(options: StatementFeedOptions) {
    this.#options = options;
    this.#feed = new RecordsFeed(options.newEpoch());
    this.#tellsAll = options.tellsAll();
  }

  /** Something is known that was not before, or no longer. */
  changed(change: BookChange): void {
    if (!this.#tellsAll) return;
    if (change.kind === 'root') this.#root(change.authority);
    else if (change.kind === 'forgotten') this.#forgotten(change.known);
    else if (!this.#held.has(change.known.namespace)) this.#statements(change.known);
  }

  get size(): number {
    return this.#feed.size;
  }

  /** Another configuration is in force. @param names all that are known */
  configure(names: Iterable<readonly [key: string, name: SignedName]>): void {
    const tellsAll = this.#options.tellsAll();
    if (tellsAll === this.#tellsAll) return;
    this.#tellsAll = tellsAll;
    this.#feed = new RecordsFeed(this.#options.newEpoch());
    this.#heads.clear();
    if (!tellsAll) return;
    for (const authority of this.#options.book.authorities()) this.#root(authority);
    for (const known of this.#options.book.all()) this.#statements(known);
    for (const [key, name] of names) this.name(key, name);
  }

  /** @param name null if it was forgotten */
  name(key: string, name: SignedName | null): void {
    if (!this.#tellsAll) return;
    if (name === null) this.#feed.remove('name', key);
    else this.#feed.put({ kind: 'name', about: key, text: name.jws });
  }

  async page(since: FeedCursor | null): Promise<FeedPage> {
    await this.#lookAtHeld();
    return this.#feed.since(since, mostBytes);
  }

  async #lookAtHeld(): Promise<void> {
    const held = await this.#options.held();
    const left = [...this.#held].filter((namespace) => !held.some((one) => one.namespace === namespace));
    this.#held = new Set(held.map(({ namespace }) => namespace));
    for (const { namespace, group, head, chain } of held) {
      if (chain.length > 0) this.#chain(originOf(namespace), chain, [namespace]);
      if (group !== null) this.#feed.put({ kind: 'group', about: namespace, text: group });
      if (head !== null) this.#head(namespace, head);
    }
    for (const namespace of left) this.#noMoreHeld(namespace);
  }

  #noMoreHeld(namespace: Namespace): void {
    const known = this.#options.book.get(namespace);
    if (known !== null && this.#tellsAll) this.#statements(known);
    else this.#remove(namespace);
  }

  #root({ origin, chain }: KnownAuthority): void {
    const known = this.#options.book.ofAuthority(origin).map(({ namespace }) => namespace);
    if (chain.length > 0) this.#chain(origin, chain, known);
  }

  /** Whoever reads on has to have the root before what it is needed for. */
  #chain(origin: string, chain: RootChain, namespaces: readonly Namespace[]): void {
    if (!this.#feed.put({ kind: 'root', about: origin, text: chainText(chain) })) return;
    for (const namespace of namespaces) {
      this.#feed.again('group', namespace);
      this.#feed.again('head', namespace);
    }
  }

  #statements({ namespace, group, head }: LearnedNamespace): void {
    this.#feed.put({ kind: 'group', about: namespace, text: group.jws });
    if (head !== null) this.#head(namespace, head);
  }

  /** A head that says the same anew is no news, before the one that is fed has expired. */
  #head(namespace: Namespace, { head, jws }: SignedHead): void {
    const fed = this.#heads.get(namespace);
    const isSame = fed !== undefined && compareVersions(fed, head) === 0;
    if (isSame && this.#feed.get('head', namespace) !== undefined && this.#options.now() < fed.expires) return;
    this.#heads.set(namespace, head);
    this.#feed.put({ kind: 'head', about: namespace, text: jws });
  }

  #forgotten({ namespace }: LearnedNamespace): void {
    if (!this.#held.has(namespace)) this.#remove(namespace);
  }

  #remove(namespace: Namespace): void {
    this.#heads.delete(namespace);
    this.#feed.remove('group', namespace);
    this.#feed.remove('head', namespace);
    const origin = originOf(namespace);
    const isNeeded =
      this.#options.book.ofAuthority(origin).length > 0 || [...this.#held].some((held) => originOf(held) === origin);
    if (!isNeeded) this.#feed.remove('root', origin);
  }
}

/** It is asked for again and again. */
const texts = new WeakMap<RootChain, string>();

function chainText(chain: RootChain): string {
  const known = texts.get(chain) ?? rootChainText(chain);
  texts.set(chain, known);
  return known;
}
