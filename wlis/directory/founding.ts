import { milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import { within } from '../../proxy/base/within.js';
import { CallFailed } from '../calls/call-failed.js';
import { originOf, type Namespace } from '../namespace.js';
import { NotBelieved } from '../trust/not-believed.js';
import type { DirectoryCalls } from './directory-calls.js';
import type { DirectoryRefusals } from './directory-refusals.js';
import { takeGroup } from './given-group.js';
import type { KnownAuthority } from './known-authority.js';
import type { LearnedNamespace } from './learned-namespace.js';
import type { NamespaceBook } from './namespace-book.js';

export interface FoundingOptions {
  readonly book: NamespaceBook;
  readonly callsFor: (namespace: Namespace) => DirectoryCalls;
  readonly refusals: DirectoryRefusals;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What has been heard of a namespace that is not known yet. */
export interface Hearsay {
  readonly namespace: Namespace;
  /** Who may have its group, in the order in which they are asked; the authority itself is always asked, last. */
  readonly from: readonly string[];
  /** A statement of the group, if somebody has given one. */
  readonly group: string | null;
  /** The root chain of its authority, likewise. */
  readonly chain: string | null;
  /** Whether the authority may be asked for its root, where that is not known. */
  readonly mayAskAuthority: boolean;
}

/** Foundings at a time; what comes beyond is learned when it is heard of again. */
const longest = milliseconds(30_000);
const mostAtOnce = 16;
const mostRemembered = 4096;
const firstPause = milliseconds(5000);
const mostDoublings = 7;

/**
 * Learns namespaces of which this node knows nothing: who signs for them by the root of their authority, which nobody else can
 * found (decision 5), and then their group from whoever has it. What came to nothing is left alone for twice as long each time.
 */
export class Founding {
  readonly #options: FoundingOptions;
  readonly #underWay = new Map<Namespace, Promise<LearnedNamespace | null>>();
  readonly #stopped = new AbortController();
  readonly #failed = new Map<Namespace, { readonly failures: number; readonly until: MonotonicMs }>();

  constructor(options: FoundingOptions) {
    this.#options = options;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Whether it was tried in vain just now. */
  isLeftAlone(namespace: Namespace): boolean {
    const failed = this.#failed.get(namespace);
    return failed !== undefined && this.#options.clock.monotonic() < failed.until;
  }

  /** It is believed that trying again makes sense, since something has changed. */
  reconsider(): void {
    this.#failed.clear();
  }

  /** Null if it cannot be learned now. Never rejects. */
  learn(hearsay: Hearsay): Promise<LearnedNamespace | null> {
    const { namespace } = hearsay;
    const known = this.#options.book.get(namespace);
    if (known !== null) return Promise.resolve(known);
    const underWay = this.#underWay.get(namespace);
    if (underWay !== undefined) return underWay;
    if (this.isLeftAlone(namespace) || this.#underWay.size >= mostAtOnce) return Promise.resolve(null);
    const learning = within(longest, this.#stopped.signal, (signal) => this.#learn(hearsay, signal))
      .catch(() => null)
      .finally(() => this.#underWay.delete(namespace));
    this.#underWay.set(namespace, learning);
    return learning;
  }

  /** Ends what is under way, and waits for that. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the node stops'));
    await this.settled();
  }

  /** Waits until nothing is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
  }

  async #learn(hearsay: Hearsay, signal: AbortSignal): Promise<LearnedNamespace | null> {
    const { namespace, from } = hearsay;
    const { book, logger, refusals } = this.#options;
    try {
      const learned = await book.withAuthority(originOf(namespace), async (authority) => {
        await this.#learnRoot(hearsay, authority, signal);
        const draft = book.draft(namespace, authority);
        await this.#learnGroup(hearsay, draft, signal);
        return book.admit(draft);
      });
      this.#failed.delete(namespace);
      const { version } = learned.group.group;
      logger.info({ code: 'namespace-learned', namespace, version }, 'a namespace is known, and who holds it');
      return learned;
    } catch (error) {
      this.#note(namespace);
      const url = error instanceof CallFailed ? error.url : (from[0] ?? originOf(namespace));
      if (!refusals.note(namespace, url, error)) {
        logger.debug({ code: 'namespace-not-learned', namespace, url, error }, 'a namespace cannot be learned now');
      }
      return null;
    }
  }

  /** @throws CallFailed, NotBelieved if nobody is known to sign for the namespace */
  async #learnRoot(hearsay: Hearsay, authority: KnownAuthority, signal: AbortSignal): Promise<void> {
    const { namespace, from, chain, mayAskAuthority } = hearsay;
    const { origin } = authority;
    if (authority.states(namespace)) return;
    let failure: unknown = null;
    // whoever has it where it can be judged by itself is asked before an authority that may be gone
    const calls = this.#options.callsFor(namespace);
    const others = from.filter((one) => one !== origin).slice(0, mostAsked);
    const ways = others.map((url) => () => calls.root(url, origin, signal));
    for (const get of chain === null ? ways : [() => Promise.resolve(chain), ...ways]) {
      try {
        await authority.offer((await get()).trimEnd());
        if (authority.states(namespace)) return;
      } catch (error) {
        signal.throwIfAborted();
        failure ??= error;
      }
    }
    if (mayAskAuthority) await authority.learn(signal);
    if (authority.states(namespace)) return;
    if (!authority.isKnown && failure instanceof Error) throw failure;
    throw new NotBelieved('wrong-subject', `root: it does not name ${namespace}`);
  }

  /** @throws CallFailed, NotBelieved if nobody has one that can be believed */
  async #learnGroup({ namespace, from, group }: Hearsay, draft: LearnedNamespace, signal: AbortSignal): Promise<void> {
    const calls = this.#options.callsFor(namespace);
    let failure: unknown = null;
    const given = group === null ? [] : [[from[0] ?? originOf(namespace), () => Promise.resolve(group)] as const];
    const asked = [...new Set([...from, originOf(namespace)])]
      .slice(0, mostAsked)
      .map((url) => [url, () => calls.group(url, namespace, signal)] as const);
    for (const [url, get] of [...given, ...asked]) {
      try {
        await takeGroup(draft, await get(), url, signal);
        return;
      } catch (error) {
        signal.throwIfAborted();
        failure = mostTelling(failure, error);
      }
    }
    throw failure;
  }

  #note(namespace: Namespace): void {
    const failures = Math.min(mostDoublings, (this.#failed.get(namespace)?.failures ?? 0) + 1);
    const until = (this.#options.clock.monotonic() + firstPause * 2 ** (failures - 1)) as MonotonicMs;
    this.#failed.delete(namespace);
    this.#failed.set(namespace, { failures, until });
    const [first] = this.#failed.keys();
    if (this.#failed.size > mostRemembered && first !== undefined) this.#failed.delete(first);
  }
}

/** What was believed to be a lie says more than that somebody did not answer. */
const mostTelling = (before: unknown, error: unknown): unknown =>
  before === null || (!(before instanceof NotBelieved) && error instanceof NotBelieved) ? error : before;

const mostAsked = 8;
