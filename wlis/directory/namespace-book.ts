import { join } from 'node:path';
import { bytes, epochMs, milliseconds, type Bytes, type EpochMs, type Milliseconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import { originOf, type Namespace } from '../namespace.js';
import { NotBelieved } from '../trust/not-believed.js';
import type { RootChain } from '../trust/root-chain.js';
import type { BookSettings } from './directory-settings.js';
import { DirectoryFiles, type RememberedNamespace } from './directory-files.js';
import type { DirectoryRefusals } from './directory-refusals.js';
import { AuthorityOpening } from './authority-opening.js';
import type { KnownAuthority } from './known-authority.js';
import { LearnedNamespace } from './learned-namespace.js';
import { LearnedTable } from './learned-table.js';
import type { NodeReach } from './node-reach.js';

export interface NamespaceBookOptions {
  /** Everything that is remembered is below it. */
  readonly directory: string;
  readonly reach: NodeReach;
  readonly settings: () => BookSettings;
  /** Nodes that may be asked for root statements, beside the members of groups. */
  readonly peers: () => readonly string[];
  readonly refusals: DirectoryRefusals;
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly logger: Logger;
  readonly onChange: (change: BookChange) => void;
  /** A namespace is known that was not. */
  readonly onLearned: (namespace: Namespace) => void;
  readonly onHeardOf: (known: LearnedNamespace, at: string) => void;
}

export type BookChange =
  | { readonly kind: 'root'; readonly authority: KnownAuthority }
  | { readonly kind: 'group' | 'head' | 'forgotten'; readonly known: LearnedNamespace };

/** Memory for statements; those of the namespaces that were not used for the longest time go first. */
const mostBytes: Bytes = bytes(268_435_456);
/** When a namespace was used is remembered as exactly as that. */
const exactly: Milliseconds = milliseconds(60_000);
const readAtOnce = 16;
const recalledFirst = 1000;
const forgetAfter: Milliseconds = milliseconds(90 * 86_400_000);

/**
 * The namespaces that this node knows, verified and remembered: bounded in number and size, the longest unused being forgotten
 * first; what nobody has used for 90 days is forgotten anyway.
 */
export class NamespaceBook {
  readonly #options: NamespaceBookOptions;
  readonly #files: DirectoryFiles;
  readonly #table = new LearnedTable<LearnedNamespace>();
  /** Of the namespaces in the table. */
  readonly #authorities = new Map<string, KnownAuthority>();
  readonly #opening: AuthorityOpening;
  /** What changed since it was written. */
  readonly #unwritten = new Set<LearnedNamespace>();
  #forgotten: Promise<void> = Promise.resolve();
  #recalling: Promise<void> = Promise.resolve();
  #isClosed = false;
  readonly #sizes = new Map<LearnedNamespace, number>();
  #bytes = 0;

  constructor(options: NamespaceBookOptions) {
    this.#options = options;
    this.#files = new DirectoryFiles(join(options.directory, 'namespaces'), options.logger);
    this.#opening = new AuthorityOpening({
      ...options,
      directory: join(options.directory, 'roots'),
      othersFor: (origin) => this.#othersFor(origin),
      onNews: (authority, before) => this.#onRoot(authority, before),
    });
  }

  /** Reads what is remembered. What is not believed now is passed over, and stays on disk: it may be believed another time. */
  async open(): Promise<void> {
    const { settings, now } = this.#options;
    const remembered = [...(await this.#files.read())].sort((a, b) => b.used - a.used);
    for (const { namespace } of remembered.slice(settings().most)) await this.#files.forget(namespace);
    const kept = remembered.slice(0, settings().most);
    const isOver = (one: RememberedNamespace): boolean => now() - one.used > forgetAfter;
    await this.#recallAll(kept.slice(0, recalledFirst), isOver);
    // a node with very many begins with those that were used last
    this.#recalling = this.#recallAll(kept.slice(recalledFirst), isOver);
  }

  /** Ends the reading. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#recalling;
  }

  async #recallAll(
    remembered: readonly RememberedNamespace[],
    isOver: (one: RememberedNamespace) => boolean,
  ): Promise<void> {
    const queue = remembered.values();
    const worker = async (): Promise<void> => {
      for (const one of queue) {
        if (this.#isClosed) return;
        if (isOver(one)) await this.#files.forget(one.namespace);
        else await this.#recall(one).catch((error: unknown) => this.#notRecalled(one, error));
      }
    };
    await Promise.all(Array.from({ length: readAtOnce }, worker));
  }

  get size(): number {
    return this.#table.size;
  }

  /** That their statements take in memory. */
  get bytes(): Bytes {
    return bytes(this.#bytes);
  }

  of(target: TargetUri): LearnedNamespace | null {
    return this.#table.of(target);
  }

  get(namespace: Namespace): LearnedNamespace | null {
    return this.#table.get(namespace) ?? null;
  }

  all(): IterableIterator<LearnedNamespace> {
    return this.#table.all();
  }

  authorities(): IterableIterator<KnownAuthority> {
    return this.#authorities.values();
  }

  authority(origin: string): KnownAuthority | null {
    return this.#authorities.get(origin) ?? null;
  }

  /** Namespaces of an authority of which something is known. */
  ofAuthority(origin: string): readonly LearnedNamespace[] {
    return [...this.#table.ofAuthority(origin)];
  }

  /** Does something with an authority, known or not; what is learned of it is remembered. */
  withAuthority<T>(origin: string, use: (authority: KnownAuthority) => Promise<T>): Promise<T> {
    const known = this.#authorities.get(origin);
    return known === undefined ? this.#opening.use(origin, use) : use(known);
  }

  /** A namespace to which statements can be given; nobody sees it before it is admitted. */
  draft(namespace: Namespace, authority: KnownAuthority): LearnedNamespace {
    const { reach, now, logger, onHeardOf } = this.#options;
    return new LearnedNamespace({
      ...{ namespace, authority, now, logger, onHeardOf },
      allows: (url) => reach.allowsUrl(namespace, url),
      onGroup: (known, leftOut) => this.#onGroup(known, leftOut),
      onHead: (known) => this.#onHead(known),
    });
  }

  /** Takes in a namespace of which the group is known. @returns the one that is known, which may have come in meanwhile */
  admit(known: LearnedNamespace): LearnedNamespace {
    const before = this.#table.get(known.namespace);
    if (before !== undefined) return before;
    this.#show(known);
    this.#options.onLearned(known.namespace);
    this.#write(known);
    this.#trim(known);
    return known;
  }

  #show(known: LearnedNamespace): void {
    const { authority } = known;
    // two may have been opened at once: what they know is the same
    if (!this.#authorities.has(authority.origin)) this.#authorities.set(authority.origin, authority);
    this.#setRow(authority.origin, [...this.#table.ofAuthority(authority.origin), known]);
    this.#options.onChange({ kind: 'root', authority });
    this.#options.onChange({ kind: 'group', known });
    this.#measure(known, sizeOf(known));
  }

  /** Forgets an authority, with all its namespaces. @returns whether it was known */
  async forget(origin: string): Promise<boolean> {
    const authority = this.#authorities.get(origin);
    if (authority === undefined) return false;
    for (const known of this.ofAuthority(origin)) this.#drop(known);
    await this.#forgotten;
    return true;
  }

  /** What changed in the configuration of whom to believe. */
  async reconsider(before: BookSettings): Promise<void> {
    const { settings } = this.#options;
    const { roots, most } = settings();
    for (const [origin, authority] of [...this.#authorities]) {
      if (roots.get(origin) === before.roots.get(origin)) continue;
      const remembered = this.ofAuthority(origin).map(rememberedOf);
      for (const known of this.ofAuthority(origin)) this.#take(known);
      this.#authorities.delete(origin);
      await authority.settled();
      for (const one of remembered) await this.#recall(one).catch((error: unknown) => this.#notRecalled(one, error));
    }
    if (most < before.most) this.#trim(null);
  }

  /** Forgets what was not used for too long, and writes what has changed. */
  async tidy(): Promise<void> {
    const { now } = this.#options;
    for (const known of [...this.#table.all()]) if (now() - known.used > forgetAfter) this.#drop(known);
    const unwritten = [...this.#unwritten];
    this.#unwritten.clear();
    for (const known of unwritten) if (this.#table.get(known.namespace) === known) this.#write(known);
    await this.#files.settled();
    await this.#forgotten;
  }

  /** It is used, which is to be remembered. */
  touch(known: LearnedNamespace, now: EpochMs): void {
    known.used = now;
    if (now - known.marked < exactly) return;
    known.marked = now;
    this.#unwritten.add(known);
  }

  async #recall({ namespace, group, learned, head, used }: RememberedNamespace): Promise<void> {
    const origin = originOf(namespace);
    await this.withAuthority(origin, async (authority) => {
      if (!authority.states(namespace)) throw new NotBelieved('wrong-subject', 'its root does not name it any more');
      const known = this.draft(namespace, authority);
      await known.recall(group, learned, head);
      known.used = used;
      if (this.#table.get(namespace) === undefined) this.#show(known);
    });
  }

  #notRecalled({ namespace }: RememberedNamespace, error: unknown): void {
    const event = { code: 'namespace-forgotten', namespace, error };
    this.#options.logger.warn(event, 'what was known of a namespace is not believed any more');
  }

  /** Who may have root statements of an authority. */
  #othersFor(origin: string): readonly string[] {
    const groups = this.ofAuthority(origin).map(({ group: { group } }) => group);
    const members = groups.flatMap(({ primary, replicas }) => [primary, ...replicas].flatMap(({ urls }) => urls));
    return [...this.#options.peers(), ...members];
  }

  #onRoot(authority: KnownAuthority, before: RootChain): void {
    const { origin } = authority;
    if (this.#authorities.get(origin) !== authority) return;
    const isAnother = before[0] !== undefined && before[0].digest !== authority.chain[0]?.digest;
    for (const known of this.ofAuthority(origin)) {
      if (!isAnother && authority.states(known.namespace)) continue;
      const { namespace } = known;
      const why = isAnother ? 'its root is another one than was believed' : 'its root does not name it any more';
      this.#options.logger.info({ code: 'namespace-ended', namespace, why }, 'a namespace is known no more');
      this.#take(known);
      void this.#files.forget(namespace);
    }
    this.#setRow(origin, this.ofAuthority(origin));
    this.#options.onChange({ kind: 'root', authority });
  }

  #onGroup(known: LearnedNamespace, leftOut: readonly string[]): void {
    const { refusals, onChange } = this.#options;
    const [url] = leftOut;
    if (url !== undefined) {
      const others = leftOut.length === 1 ? '' : ` and ${leftOut.length - 1} more`;
      const detail = `the group has members at addresses where none may be: ${url}${others}`;
      refusals.refuse(known.namespace, known.group.group.primary.urls[0] ?? '', 'private-address', detail);
    }
    if (this.#table.get(known.namespace) !== known) return;
    onChange({ kind: 'group', known });
    this.#write(known);
    this.#measure(known, sizeOf(known));
    this.#trim(known);
  }

  #onHead(known: LearnedNamespace): void {
    if (this.#table.get(known.namespace) !== known) return;
    this.#unwritten.add(known);
    this.#options.onChange({ kind: 'head', known });
  }

  #write(known: LearnedNamespace): void {
    void this.#files.write(rememberedOf(known));
  }

  /** Those that were not used for the longest time go, but for this one. */
  #trim(kept: LearnedNamespace | null): void {
    const isWithin = (): boolean => this.#table.size <= this.#options.settings().most && this.#bytes <= mostBytes;
    if (isWithin()) return;
    for (const known of [...this.#table.all()].sort((a, b) => a.used - b.used)) {
      if (isWithin()) return;
      if (known !== kept) this.#drop(known);
    }
  }

  #measure(known: LearnedNamespace, size: number): void {
    this.#bytes += size - (this.#sizes.get(known) ?? 0);
    if (size === 0) this.#sizes.delete(known);
    else this.#sizes.set(known, size);
  }

  #drop(known: LearnedNamespace): void {
    const { authority, namespace } = known;
    this.#take(known);
    const forgotten = [this.#files.forget(namespace)];
    if (this.ofAuthority(authority.origin).length === 0) {
      this.#authorities.delete(authority.origin);
      forgotten.push(authority.forget());
    }
    this.#forgotten = Promise.all([this.#forgotten, ...forgotten]).then(
      () => undefined,
      () => undefined,
    );
  }

  #take(known: LearnedNamespace): void {
    const { origin } = known.authority;
    this.#unwritten.delete(known);
    this.#measure(known, 0);
    this.#setRow(
      origin,
      this.ofAuthority(origin).filter((one) => one !== known),
    );
    this.#options.onChange({ kind: 'forgotten', known });
  }

  #setRow(origin: string, known: readonly LearnedNamespace[]): void {
    const stated = this.#authorities.get(origin)?.namespaces ?? [];
    const row = new Map<Namespace, LearnedNamespace | null>(stated.map(({ namespace }) => [namespace, null]));
    for (const one of known) row.set(one.namespace, one);
    this.#table.setAuthority(origin, row);
  }
}

const rememberedOf = (known: LearnedNamespace): RememberedNamespace => ({
  namespace: known.namespace,
  group: known.group.jws,
  learned: epochMs(Math.trunc(known.learned)),
  head: known.head?.jws ?? null,
  used: epochMs(Math.trunc(known.used)),
});

function sizeOf({ group, head, authority }: LearnedNamespace): number {
  const ofChain = authority.chain.reduce((sum, { signatures }) => sum + signatures.join('').length, 0);
  return group.jws.length + (head?.jws.length ?? 0) + ofChain;
}
