import { lookup, type LookupAddress } from 'node:dns';
import { promisify } from 'node:util';
import { milliseconds, type Milliseconds } from '../../config/units.js';
import { WillisError } from '../base/errors.js';

export interface LookupsOptions {
  /** All addresses of a name. */
  readonly resolve: (host: string) => Promise<readonly LookupAddress[]>;
  /** Runs something later, and keeps no process alive for it. */
  readonly later: (delay: Milliseconds, run: () => void) => void;
}

const most = { underWay: 2, waiting: 256, kept: 1024 };
const keepFound = milliseconds(5000);
const keepFailed = milliseconds(1000);

/**
 * Resolves names, a few at a time: a resolver that does not answer holds on to a thread for each name, and files and
 * passwords are worked on by the same few threads. Whoever asks for a name that is being resolved waits for that; what came
 * out is kept for a few seconds.
 */
export class Lookups {
  readonly #options: LookupsOptions;
  /** Asked for and not yet answered, those under way first. */
  readonly #open = new Map<string, OpenLookup>();
  readonly #kept = new Map<string, Promise<readonly LookupAddress[]>>();
  #underWay = 0;

  constructor(options: LookupsOptions) {
    this.#options = options;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Names that wait for their turn. */
  get waiting(): number {
    return this.#open.size - this.#underWay;
  }

  /**
   * All addresses of a name. With the signal nobody waits any more: a name that nobody waits for is not begun with, and
   * the promise may stay open. @throws WillisError too-busy; or the resolver's error
   */
  find(host: string, signal: AbortSignal): Promise<readonly LookupAddress[]> {
    const key = host.toLowerCase();
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const one = this.#open.get(key) ?? this.#add(key);
    one.wanted++;
    signal.addEventListener('abort', () => this.#giveUp(key, one), { once: true });
    return one.result;
  }

  #add(key: string): OpenLookup {
    if (this.waiting >= most.waiting) throw new WillisError('too-busy', 'too many host names wait to be resolved');
    const one = new OpenLookup();
    this.#open.set(key, one);
    this.#next();
    return one;
  }

  #next(): void {
    if (this.#underWay >= most.underWay) return;
    for (const [key, one] of this.#open) {
      if (one.begun) continue;
      one.begun = true;
      this.#underWay++;
      void this.#resolve(key, one);
      return;
    }
  }

  async #resolve(key: string, one: OpenLookup): Promise<void> {
    let delay = keepFound;
    try {
      one.resolve(await this.#options.resolve(key));
    } catch (error) {
      delay = keepFailed;
      one.reject(error as Error);
    }
    this.#underWay--;
    this.#open.delete(key);
    this.#keep(key, one.result, delay);
    this.#next();
  }

  #keep(key: string, result: Promise<readonly LookupAddress[]>, delay: Milliseconds): void {
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= most.kept && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, result);
    this.#options.later(delay, () => {
      if (this.#kept.get(key) === result) this.#kept.delete(key);
    });
  }

  #giveUp(key: string, one: OpenLookup): void {
    if (--one.wanted === 0 && !one.begun) this.#open.delete(key);
  }
}

/** The names of this process, resolved as its system does (getaddrinfo): the threads are the process's too. */
export const systemLookups = new Lookups({
  resolve: (host) => lookupAll(host, { all: true, verbatim: true }),
  later: (delay, run) => void setTimeout(run, delay).unref(),
});

const lookupAll = promisify(lookup);

class OpenLookup {
  /** How many wait for it. */
  wanted = 0;
  begun = false;
  readonly result: Promise<readonly LookupAddress[]>;
  resolve!: (found: readonly LookupAddress[]) => void;
  reject!: (error: Error) => void;

  constructor() {
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // all who waited may have gone
    this.result.catch(() => undefined);
  }
}
