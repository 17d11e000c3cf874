import { milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import { within } from '../../proxy/base/within.js';
import type { CanonicalUri } from '../canonical-uri.js';
import { isInside, originOf } from '../namespace.js';
import { NotBelieved } from '../trust/not-believed.js';
import type { DirectoryCalls } from './directory-calls.js';
import type { DirectoryRefusals } from './directory-refusals.js';
import type { Founding } from './founding.js';
import type { LearnedNamespace } from './learned-namespace.js';
import { parseResolution } from './resolution.js';
import { unlessAborted } from './unless-aborted.js';

export interface UriSearchOptions {
  readonly founding: Founding;
  readonly calls: DirectoryCalls;
  readonly peers: () => readonly string[];
  readonly refusals: DirectoryRefusals;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a request waits at most for what others know of its namespace. */
const longestSearch = milliseconds(8000);
/** Where nobody knew anything, nobody is asked again so soon. */
const searchAgain = milliseconds(10_000);
const mostSearches = 64;
const mostUnknown = 4096;

/** Asks the peers of a node whose namespace a URI belongs to. */
export class UriSearch {
  readonly #options: UriSearchOptions;
  readonly #underWay = new Map<string, Promise<LearnedNamespace | null>>();
  /** Origins of which nobody knew anything, and till when nobody is asked. */
  readonly #unknown = new Map<string, MonotonicMs>();
  readonly #stopped = new AbortController();

  constructor(options: UriSearchOptions) {
    this.#options = options;
  }

  /** Null if nobody knows, or what they say cannot be believed, or was asked just now. @throws the reason of the signal */
  async find(uri: CanonicalUri, signal: AbortSignal): Promise<LearnedNamespace | null> {
    const { peers, clock } = this.#options;
    if (peers().length === 0 || clock.monotonic() < (this.#unknown.get(originOf(uri)) ?? -Infinity)) return null;
    const underWay = this.#underWay.get(uri);
    if (underWay === undefined && this.#underWay.size >= mostSearches) return null;
    const search = underWay ?? this.#search(uri).finally(() => this.#underWay.delete(uri));
    this.#underWay.set(uri, search);
    return unlessAborted(search, signal);
  }

  /** Something has changed, so that others may know more. */
  reconsider(): void {
    this.#unknown.clear();
  }

  /** Ends what is under way, and waits for that. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the node stops'));
    await Promise.allSettled(this.#underWay.values());
  }

  async #search(uri: CanonicalUri): Promise<LearnedNamespace | null> {
    const ask = (signal: AbortSignal): Promise<LearnedNamespace | null> => this.#askAll(uri, signal);
    const known = await within(longestSearch, this.#stopped.signal, ask).catch(() => null);
    if (known === null) this.#noteUnknown(originOf(uri));
    return known;
  }

  async #askAll(uri: CanonicalUri, signal: AbortSignal): Promise<LearnedNamespace | null> {
    const { peers, refusals, logger } = this.#options;
    for (const url of peers()) {
      try {
        const known = await this.#ask(url, uri, signal);
        if (known !== null) return known;
      } catch (error) {
        if (signal.aborted) break;
        if (refusals.note(uri, url, error)) continue;
        logger.debug({ code: 'not-resolved', uri, url, error }, 'a peer does not tell whose a URI is');
      }
    }
    return null;
  }

  async #ask(url: string, uri: CanonicalUri, signal: AbortSignal): Promise<LearnedNamespace | null> {
    const { calls, founding } = this.#options;
    const text = await calls.resolve(url, uri, signal);
    if (text === null) return null;
    const { namespace, group } = parseResolution(text);
    if (!isInside(namespace, uri)) throw new NotBelieved('wrong-subject', 'resolve: of another URI');
    const hearsay = { namespace, from: [url], group, chain: null, mayAskAuthority: true };
    return unlessAborted(founding.learn(hearsay), signal);
  }

  #noteUnknown(origin: string): void {
    this.#unknown.delete(origin);
    this.#unknown.set(origin, (this.#options.clock.monotonic() + searchAgain) as MonotonicMs);
    const [first] = this.#unknown.keys();
    if (this.#unknown.size > mostUnknown && first !== undefined) this.#unknown.delete(first);
  }
}
