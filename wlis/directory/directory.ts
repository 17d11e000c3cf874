import { randomBytes } from 'node:crypto';
import { clearInterval, setInterval } from 'node:timers';
import { join } from 'node:path';
import { milliseconds, type EpochMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';
import { canonicalUriOf, type CanonicalUri } from '../canonical-uri.js';
import { originOf, type Namespace } from '../namespace.js';
import type { NameSource } from '../names/name-resolution.js';
import { NotCanonical } from '../not-canonical.js';
import { newEpoch } from '../trust/epoch.js';
import { CallPace } from './call-pace.js';
import { DirectoryCalls } from './directory-calls.js';
import { DirectoryRefusals } from './directory-refusals.js';
import type { DirectorySettings } from './directory-settings.js';
import { Exchange } from './exchange.js';
import { Founding } from './founding.js';
import type { KnownNamespace, NamespaceFinder } from './known-namespace.js';
import type { LearnedNamespace } from './learned-namespace.js';
import { NameFiles } from './name-files.js';
import { NamespaceBook, type BookChange } from './namespace-book.js';
import type { NodeReach } from './node-reach.js';
import { PacedCaller } from './paced-caller.js';
import type { PeerState } from './peer-exchange.js';
import { RecordIntake } from './record-intake.js';
import { Renewal } from './renewal.js';
import { SignedNames } from './signed-names.js';
import { StatementFeed, type HeldStatements } from './statement-feed.js';
import { UriSearch } from './uri-search.js';

export interface DirectoryOptions {
  /** `node.data`, below which everything is remembered. */
  readonly data: string;
  readonly reach: NodeReach;
  readonly settings: DirectorySettings;
  /** What this node holds itself, to be told to others; nothing by default. */
  readonly held?: () => Promise<readonly HeldStatements[]>;
  /** Whether it holds that one, and needs nobody to tell of it. */
  readonly isHeld?: (namespace: Namespace) => boolean;
  /** A namespace is known that was not, and was not remembered either. */
  readonly onLearned?: (namespace: Namespace) => void;
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly logger: Logger;
  /** From 0 to 1. */
  readonly chance: () => number;
}

/** A holder of a namespace has said which statement of the group it knows (`WLIS-Group`). */
export interface HeardGroup {
  readonly namespace: Namespace;
  readonly version: number;
  /** The one that said so: `https://docs.example.org`. */
  readonly at: string;
}

const lookEvery = milliseconds(2000);
const namesEvery = milliseconds(5000);
const tidyEvery = milliseconds(300_000);
/** Namespaces that nobody has needed for so long are asked for when they are needed again. */
const idleAfter = milliseconds(3_600_000);

/**
 * What this node knows of namespaces: learned from their own authorities, from what holders say in passing, from directories
 * that the operator named; verified, renewed while it is used, remembered, and told to other directories.
 */
export class Directory implements NamespaceFinder {
  readonly refusals: DirectoryRefusals;
  readonly names: SignedNames;
  readonly feed: StatementFeed;
  readonly book: NamespaceBook;
  readonly #options: DirectoryOptions;
  readonly #founding: Founding;
  readonly #renewal: Renewal;
  readonly #search: UriSearch;
  readonly #exchange: Exchange;
  readonly #nameFiles: NameFiles;
  readonly #pace = new CallPace();
  #settings: DirectorySettings;
  #timers: NodeJS.Timeout[] = [];
  #tidying: Promise<void> = Promise.resolve();
  #end: Promise<void> | null = null;

  private constructor(options: DirectoryOptions) {
    const { logger, clock, now, chance, data } = options;
    this.#options = options;
    this.#settings = options.settings;
    const settings = (): DirectorySettings => this.#settings;
    const peers = (): readonly string[] => this.#settings.peers;
    const callsFor = (namespace: Namespace): DirectoryCalls => new DirectoryCalls(this.#callerFor(namespace));
    const calls = new DirectoryCalls(this.#callerFor(null));
    const refusals = new DirectoryRefusals(logger, now);
    this.refusals = refusals;
    this.names = new SignedNames({
      namingKeys: () => this.#settings.namingKeys,
      most: () => this.#settings.most,
      now,
      onChange: (key, name) => {
        this.feed.name(key, name);
        this.#nameFiles.keep(key, name);
      },
    });
    this.#nameFiles = new NameFiles(data, this.names, refusals, logger);
    this.book = new NamespaceBook({
      ...{ refusals, clock, now, logger, settings, peers, directory: join(data, 'directory') },
      reach: {
        callerFor: (namespace) => this.#callerFor(namespace),
        allowsUrl: (namespace, url) => options.reach.allowsUrl(namespace, url),
      },
      onChange: (change) => this.#changed(change),
      onLearned: (namespace) => options.onLearned?.(namespace),
      onHeardOf: (known, at) => this.#renewal.renew(known, at),
    });
    const { book, names } = this;
    this.feed = new StatementFeed({
      ...{ book, now, held: options.held ?? (() => Promise.resolve([])) },
      tellsAll: () => this.#settings.isDirectory,
      newEpoch: () => newEpoch(null, now(), randomBytes(8)),
    });
    this.#founding = new Founding({ book, callsFor, refusals, clock, logger });
    this.#renewal = new Renewal({ callsFor, peers, refusals, clock, now, logger, chance });
    const founding = this.#founding;
    this.#search = new UriSearch({ founding, calls, peers, refusals, clock, logger });
    const isHeld = options.isHeld ?? ((): boolean => false);
    const allowsUrl = (namespace: Namespace, url: string): boolean => options.reach.allowsUrl(namespace, url);
    const intake = new RecordIntake({ book, founding, names, refusals, settings, isHeld, allowsUrl, logger });
    this.#exchange = new Exchange({ calls, intake, refusals, settings, now, logger, chance });
  }

  /** Reads what is remembered, and begins to keep it up to date. */
  static async open(options: DirectoryOptions): Promise<Directory> {
    const directory = new Directory(options);
    await directory.book.open();
    await directory.#nameFiles.read();
    directory.#timers = [
      setInterval(() => directory.look(), lookEvery).unref(),
      setInterval(() => void directory.#nameFiles.read(), namesEvery).unref(),
      setInterval(() => directory.#tidy(), tidyEvery).unref(),
    ];
    directory.#exchange.configure(false);
    return directory;
  }

  get settings(): DirectorySettings {
    return this.#settings;
  }

  /** How the exchange with each peer goes. */
  get peers(): readonly PeerState[] {
    return this.#exchange.states;
  }

  /** Namespaces that are being learned, and asked for, now. */
  get underWay(): number {
    return this.#founding.underWay + this.#renewal.underWay;
  }

  of(target: TargetUri): KnownNamespace | null {
    const known = this.book.of(target);
    if (known !== null) this.#use(known);
    return known;
  }

  get(namespace: Namespace): KnownNamespace | null {
    return this.book.get(namespace);
  }

  all(): Iterable<KnownNamespace> {
    return this.book.all();
  }

  /** Who has given names that count here, the one whose word counts most first. */
  nameSources(): readonly NameSource[] {
    return this.names.sources();
  }

  /**
   * Somebody speaks of a namespace. Only its own authority and those who are known to hold it count, and nothing is believed of
   * it: it is a reason to ask.
   */
  heard({ namespace, version, at }: HeardGroup): void {
    const known = this.book.get(namespace);
    if (known !== null) {
      if (at === originOf(namespace) || isMember(known, at)) known.heardOf(version, at);
      return;
    }
    if (at !== originOf(namespace)) return;
    void this.#founding.learn({ namespace, from: [at], group: null, chain: null, mayAskAuthority: true });
  }

  /** The namespace is needed: a name, a site or an operator leads to it. Null if it cannot be learned now. */
  async want(namespace: Namespace): Promise<KnownNamespace | null> {
    const known = this.book.get(namespace);
    if (known !== null) {
      this.#use(known);
      return known;
    }
    const from = this.#settings.peers;
    return this.#founding.learn({ namespace, from, group: null, chain: null, mayAskAuthority: true });
  }

  /**
   * Asks the peers of this node whose namespace a target belongs to, since it cannot be reached by its own name. Null if nobody
   * knows, or what they say cannot be believed. @throws the reason of the signal
   */
  async learnFor(target: TargetUri, signal: AbortSignal): Promise<KnownNamespace | null> {
    const known = this.of(target);
    const uri = known === null ? uriOf(target) : null;
    return uri === null ? known : this.#search.find(uri, signal);
  }

  /** Forgets an authority, with all its namespaces, so that it is to be learned anew. @returns whether it was known */
  forget(origin: string): Promise<boolean> {
    this.#founding.reconsider();
    this.refusals.forget((about) => about === origin || about.startsWith(`${origin}/`));
    return this.book.forget(origin);
  }

  /** Another configuration is in force. */
  async configure(settings: DirectorySettings): Promise<void> {
    const before = this.#settings;
    this.#settings = settings;
    this.#founding.reconsider();
    this.#search.reconsider();
    this.names.tidy();
    const isSameNaming = before.namingKeys.join() === settings.namingKeys.join();
    await (isSameNaming ? this.#nameFiles.read() : this.#nameFiles.readAnew());
    await this.book.reconsider(before);
    this.feed.configure(this.names.all());
    this.#exchange.configure(!isSameTrust(before, settings));
  }

  /** Asks all peers now for what they have learned. Never rejects. */
  exchange(): Promise<void> {
    return this.#exchange.ask();
  }

  /** Does what has become due. The timer calls it. */
  look(): void {
    const time = this.#options.now();
    for (const known of this.book.all()) {
      const isNeeded = this.#settings.isDirectory || time - known.used < idleAfter;
      if (isNeeded && this.#renewal.isDue(known, time)) this.#renewal.renew(known, null);
    }
  }

  /** Fulfilled when nothing is being asked or written that was begun before. */
  async settled(): Promise<void> {
    await this.#founding.settled();
    await this.#renewal.settled();
    await this.book.tidy();
    await this.#nameFiles.settled();
  }

  /** Writes what is not written yet. Idempotent. */
  stop(): Promise<void> {
    return (this.#end ??= this.#stop());
  }

  async #stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all([this.#exchange.stop(), this.#search.stop(), this.#founding.stop(), this.#renewal.stop()]);
    await Promise.all([this.#tidying, this.book.close()]);
    await this.book.tidy();
    await this.#nameFiles.settled();
  }

  #use(known: LearnedNamespace): void {
    const time = this.#options.now();
    this.book.touch(known, time);
    if (this.#renewal.isDue(known, time)) this.#renewal.renew(known, null);
  }

  #changed(change: BookChange): void {
    if (change.kind === 'group') this.#renewal.renewed(change.known);
    this.feed.changed(change);
  }

  #callerFor(namespace: Namespace | null): PacedCaller {
    const { clock, reach } = this.#options;
    const isNamed = (url: string): boolean => this.#settings.peers.includes(url);
    return new PacedCaller({ caller: () => reach.callerFor(namespace), pace: this.#pace, isNamed, clock });
  }

  #tidy(): void {
    this.names.tidy();
    this.#tidying = this.#tidying.then(() => this.book.tidy());
  }
}

function isMember({ group: { group } }: KnownNamespace, url: string): boolean {
  return group.primary.urls.includes(url) || group.replicas.some(({ urls }) => urls.includes(url));
}

function isSameTrust(a: DirectorySettings, b: DirectorySettings): boolean {
  const text = ({ roots, firstUse, namingKeys, isDirectory }: DirectorySettings): string =>
    JSON.stringify([[...roots], firstUse, namingKeys, isDirectory]);
  return text(a) === text(b);
}

function uriOf({ scheme, authority, path }: TargetUri): CanonicalUri | null {
  try {
    return canonicalUriOf(scheme, authority, path);
  } catch (error) {
    if (error instanceof NotCanonical) return null;
    throw error;
  }
}
