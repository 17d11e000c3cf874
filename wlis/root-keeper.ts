import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { bytes, elapsedMonotonic, milliseconds, type Milliseconds, type MonotonicMs } from '../config/units.js';
import type { Clock } from '../proxy/base/clock.js';
import type { Logger } from '../proxy/base/logger.js';
import { originOf, type Namespace } from './namespace.js';
import { canonicalJson, parseCanonicalJson } from './trust/canonical-json.js';
import { digestOfText, parseDigest } from './trust/digest.js';
import { Members } from './trust/members.js';
import { NotBelieved } from './trust/not-believed.js';
import { keyIdOf, parseKeyId, type KeyId, type PublicKey } from './trust/public-key.js';
import { openRootChain, rootChainText, type RootChain } from './trust/root-chain.js';
import { judgeRoot, type LearnedBy, type RootPin } from './trust/root-pin.js';
import { keyForNamespace } from './trust/root-statement.js';
import type { NodeCaller } from './calls/node-caller.js';
import { CallFailed } from './calls/call-failed.js';

export interface RootKeeperOptions {
  readonly namespace: Namespace;
  /** What is remembered of roots, in files of this directory; made when it is needed. */
  readonly directory: string;
  /** The root key, where the operator named it. */
  readonly configured: KeyId | null;
  /** Whether a root may be learned over plain HTTP. */
  readonly firstUse: boolean;
  /** Nodes that the chain may be got from where its key is known; beside the authority itself. */
  readonly others: () => readonly string[];
  readonly caller: NodeCaller;
  /** How long a node may be silent; ten seconds by default. */
  readonly patience?: Milliseconds;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Nobody has to be asked again so soon. */
const again = milliseconds(10_000);
const seekAgain = milliseconds(2000);
const usualPatience = milliseconds(10_000);
const longest = bytes(8_388_608);
/** Nodes that are asked one after the other. */
const mostAsked = 8;

/**
 * Knows who signs for a namespace, by the root statements of its authority (decision 5): learned from the authority itself by
 * TLS, from anybody if the operator named its key, over plain HTTP only where the operator lets it; and remembered, so that a
 * root that changed otherwise than its chain allows is refused.
 */
export class RootKeeper {
  readonly #options: RootKeeperOptions;
  readonly #origin: string;
  #pin: RootPin | null = null;
  #chain: RootChain = [];
  #askedAt: MonotonicMs | null = null;
  #asking: Promise<void> | null = null;
  #soughtAt: MonotonicMs | null = null;
  #seeking: Promise<boolean> | null = null;
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: RootKeeperOptions) {
    this.#options = options;
    this.#origin = originOf(options.namespace);
  }

  static async open(options: RootKeeperOptions): Promise<RootKeeper> {
    const keeper = new RootKeeper(options);
    await keeper.#recall();
    return keeper;
  }

  /** The key of that name if it signs for the namespace now. */
  keyFor(id: KeyId): PublicKey | null {
    const statement = this.#chain.at(-1)?.statement;
    const { namespace, clock } = this.#options;
    return statement === undefined ? null : keyForNamespace(statement, namespace, clock.now())(id);
  }

  /** The key of that name if it signs for the namespace or has ever done so: for what was believed then. */
  everKeyFor(id: KeyId): PublicKey | null {
    const { namespace } = this.#options;
    const stated = this.#chain.flatMap(({ statement }) => statement.namespaces);
    const signers = stated.flatMap((one) => (one.namespace === namespace ? one.signers : []));
    return signers.find(({ key }) => keyIdOf(key) === id)?.key ?? null;
  }

  /** Whether anybody is known to sign for the namespace. */
  get isKnown(): boolean {
    return this.#chain.length > 0;
  }

  /** What it has, to be handed on; empty if nothing is known. */
  get chain(): RootChain {
    return this.#chain;
  }

  /** What is remembered of how it came to be known; null if nothing is known. */
  get pin(): RootPin | null {
    return this.isKnown ? this.#pin : null;
  }

  /**
   * A chain that somebody has handed on unasked. It is taken if it follows from what is known, or leads to the key that the
   * operator named: nothing is founded by it (decision 5).
   * @returns whether it was news
   * @throws NotBelieved
   */
  async offer(text: string): Promise<boolean> {
    const chain = await openRootChain(text, this.#origin);
    const known = this.#known();
    if (known === null) {
      throw new NotBelieved(
        'wrong-signature',
        `the root key of ${this.#origin} is unknown, and not for others to tell`,
      );
    }
    const before = this.#chain;
    // the word of whoever hands it on counts for nothing
    await this.#take(chain, known.learnedBy === 'configured' ? 'configured' : 'first-use');
    return this.#chain !== before;
  }

  /**
   * Asks for the root statements, unless that was done just now: somebody has signed whose key is not known.
   * @throws CallFailed, NotBelieved: why nothing is known yet, or nothing better
   */
  learn(signal: AbortSignal): Promise<void> {
    this.#asking ??= this.#learn(signal).finally(() => (this.#asking = null));
    return this.#asking;
  }

  /**
   * Somebody signs with a key that is not known: the root may have named another one, of which the authority itself need not
   * know, if its primary was replaced. Asks one node after the other for newer statements, which follow from those that are known,
   * so that they may come from anybody. It is done once in some seconds, however many sign so.
   * @param at who has what is signed: nothing is done if others were asked just now; null if nobody knows: then a moment later,
   *   since whoever told of it may not tell again
   * @returns whether there are newer ones
   */
  seek(at: string | null, signal: AbortSignal): Promise<boolean> {
    this.#seeking ??= this.#seek(at, signal).finally(() => (this.#seeking = null));
    return this.#seeking;
  }

  async #seek(at: string | null, signal: AbortSignal): Promise<boolean> {
    const { clock, others, logger, namespace } = this.#options;
    if (!this.isKnown) return false;
    const wait = this.#soughtAt === null ? 0 : seekAgain - elapsedMonotonic(this.#soughtAt, clock.monotonic());
    if (wait > 0 && at !== null) return false;
    if (wait > 0 && !(await waited(milliseconds(wait), signal))) return false;
    this.#soughtAt = clock.monotonic();
    const before = this.#chain.length;
    const urls = [...new Set([...(at === null ? [] : [at]), this.#origin, ...others()])].slice(0, mostAsked);
    for (const url of urls) {
      try {
        await this.#learnFrom(url, signal);
      } catch (error) {
        if (signal.aborted) return false;
        logger.debug({ code: 'root-not-learned', namespace, url, error }, 'no newer root statements came from there');
      }
      if (this.#chain.length > before) return true;
    }
    return false;
  }

  async #learn(signal: AbortSignal): Promise<void> {
    const now = this.#options.clock.monotonic();
    if (this.isKnown && this.#askedAt !== null && elapsedMonotonic(this.#askedAt, now) < again) return;
    this.#askedAt = now;
    const { configured, others } = this.#options;
    // whose key is known may be heard of from anybody
    const urls =
      configured === null && this.#pin === null
        ? [this.#origin]
        : [...new Set([this.#origin, ...others()])].slice(0, mostAsked);
    let failure: unknown = null;
    for (const url of urls) {
      try {
        await this.#learnFrom(url, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        failure ??= error;
      }
    }
    if (this.isKnown || configured !== null || isDisbelief(failure)) throw failure;
    throw new CallFailed('unreachable', this.#origin, 'unknown-root', unknownRoot(failure), {
      cause: failure,
    });
  }

  async #learnFrom(url: string, signal: AbortSignal): Promise<void> {
    const { patience = usualPatience } = this.#options;
    const path = `root?origin=${encodeURIComponent(this.#origin)}`;
    const call = { url, method: 'GET', path, content: null, fields: [], patience, signal } as const;
    const { status, text } = await this.#options.caller.ask(call, longest);
    if (status !== 200) throw new CallFailed('refused', url, String(status), `it has no root of ${this.#origin}`);
    const chain = await openRootChain(text.trimEnd(), this.#origin);
    await this.#take(chain, this.#learnedFrom(url));
  }

  #learnedFrom(url: string): LearnedBy {
    // by whomever it was sent, a chain that leads to a key that the operator named is his word
    if (this.#options.configured !== null || this.#pin?.learnedBy === 'configured') return 'configured';
    return url === this.#origin && url.startsWith('https:') ? 'tls' : 'first-use';
  }

  async #take(chain: RootChain, by: LearnedBy): Promise<void> {
    const { firstUse, logger, namespace } = this.#options;
    const judged = judgeRoot(this.#known(), chain, by, firstUse);
    if (!judged.take)
      throw new NotBelieved(
        judged.reason === 'older' ? 'out-of-date' : 'wrong-signature',
        refusals[judged.reason](this.#origin),
      );
    if (judged.reason === 'same' && this.isKnown) return;
    this.#pin = judged.pin;
    this.#chain = chain;
    const { rootKey, serial, learnedBy } = judged.pin;
    logger.info({ code: 'root-learned', namespace, rootKey, serial, learnedBy }, 'the root of a namespace is known');
    await this.#remember();
  }

  /** What is known, by what the operator says before all else. */
  #known(): RootPin | null {
    const { configured } = this.#options;
    if (configured === null || this.#pin?.learnedBy === 'configured') return this.#pin;
    return { origin: this.#origin, learnedBy: 'configured', rootKey: configured, serial: 0, digest: null };
  }

  get #path(): string {
    return join(this.#options.directory, `${digestOfText(this.#origin).slice(0, 16)}.json`);
  }

  /** Waits until what is known is remembered. */
  settled(): Promise<void> {
    return this.#writing;
  }

  /** Forgets everything that is remembered. What is known goes on until the end of this keeper. */
  forget(): Promise<void> {
    const forgotten = this.#writing.then(() => rm(this.#path, { force: true }));
    this.#writing = forgotten.catch(() => undefined);
    return forgotten;
  }

  /** One after the other, so that what is newest is what stays. */
  #remember(): Promise<void> {
    const written = this.#writing.then(() => this.#write());
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #write(): Promise<void> {
    if (this.#pin === null) return;
    const { origin, learnedBy, rootKey, serial, digest } = this.#pin;
    const text = canonicalJson({ origin, learnedBy, rootKey, serial, digest, chain: rootChainText(this.#chain) });
    const temporary = `${this.#path}.tmp`;
    await mkdir(this.#options.directory, { recursive: true, mode: 0o700 });
    await writeFile(temporary, text, { mode: 0o600, flush: true });
    await rename(temporary, this.#path);
  }

  async #recall(): Promise<void> {
    const { logger, configured } = this.#options;
    try {
      const text = await readFile(this.#path, 'utf8');
      const members = new Members(parseCanonicalJson(text, 'remembered root', 2 * longest), 'remembered root');
      const pin = {
        origin: members.text('origin', 512),
        learnedBy: members.text('learnedBy', 16) as LearnedBy,
        rootKey: parseKeyId(members.text('rootKey', 64), 'remembered root'),
        serial: members.integer('serial', 0),
        digest: parseDigest(members.text('digest', 64), 'remembered root'),
      };
      const chain = await openRootChain(members.text('chain', longest), this.#origin);
      members.end();
      const follows = judgeRoot(configured === null ? pin : this.#known(), chain, pin.learnedBy, true);
      if (!follows.take) return;
      this.#pin = follows.pin;
      this.#chain = chain;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      logger.warn({ code: 'root-forgotten', path: this.#path, error }, 'a remembered root cannot be read');
    }
  }
}

const unknownRoot = (failure: unknown): string =>
  `its root key is unknown (${failure instanceof Error ? failure.message : String(failure)}): say it in wlis.trust.roots`;

/** What came was a lie, which whoever sent it answers for. */
const isDisbelief = (error: unknown): boolean =>
  error instanceof NotBelieved || (error instanceof CallFailed && error.fault === 'not-believed');

/** @returns whether it did to the end */
const waited = (time: Milliseconds, signal: AbortSignal): Promise<boolean> =>
  pause(time, true, { signal, ref: false }).catch(() => false);

const refusals: Readonly<Record<'older' | 'conflict' | 'first-use-off', (origin: string) => string>> = {
  older: (origin) => `the root statements of ${origin} are older than those that are known`,
  conflict: (origin) =>
    `the root statements of ${origin} do not follow from what is known of it; if its owner has begun anew, say its key in wlis.trust.roots`,
  'first-use-off': (origin) =>
    `the root key of ${origin} is unknown: say it in wlis.trust.roots, or set wlis.trust.firstUse to learn it over plain HTTP`,
};
