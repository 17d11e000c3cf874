import { bytes, milliseconds, type EpochMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import { originOf, type Namespace } from '../../wlis/namespace.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { openRootChain, type RootChain } from '../../wlis/trust/root-chain.js';
import type { NodeCaller } from '../../wlis/calls/node-caller.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';
import { WakeTimer } from '../source/wake-timer.js';
import { namespaceSigner } from './authority.js';
import type { KeyDirectory } from './key-directory.js';
import { KeyFileError } from './key-file-error.js';

export interface NewerRootsOptions {
  readonly namespace: Namespace;
  readonly keys: KeyDirectory;
  readonly caller: NodeCaller;
  /** URLs of replicas. */
  readonly members: () => readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Learns of root statements that replicas have and their primary has not: the root has named another key, perhaps that of a node
 * which was promoted while this one was away. What goes on from the own statements is kept, whoever sent it; from then on nothing
 * is signed here with a key that has ended (protocol decision 11).
 */
export class NewerRoots {
  readonly #options: NewerRootsOptions;
  readonly #timer: WakeTimer;
  readonly #stopped = new AbortController();
  #asking: Promise<unknown> = Promise.resolve();
  #at = 0;

  constructor(options: NewerRootsOptions) {
    this.#options = options;
    this.#timer = new WakeTimer(options.clock, () => this.look());
  }

  /** Begins to ask one replica after the other, every now and then. */
  start(): void {
    this.#timer.start();
    this.#timer.in(every);
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#timer.stop();
    this.#stopped.abort(new Error('the node stops'));
    await this.#asking;
  }

  /** Asks the next one. The timer calls it. */
  look(): void {
    const urls = this.#options.members();
    const url = urls[this.#at++ % Math.max(urls.length, 1)];
    if (url !== undefined) this.#asking = this.#askAt(url, this.#stopped.signal);
    this.#timer.in(every);
  }

  /** Asks some of them at once: before the first head is signed. What comes of it is logged. */
  async ask(signal: AbortSignal): Promise<void> {
    const urls = this.#options.members().slice(0, mostAsked);
    await Promise.all(urls.map((url) => this.#askAt(url, signal)));
  }

  async #askAt(url: string, signal: AbortSignal): Promise<void> {
    const { namespace, keys, logger } = this.#options;
    const origin = originOf(namespace);
    try {
      const own = await keys.chain(origin);
      // nothing goes on from nothing
      if (own.length === 0) return;
      const theirs = await this.#chainAt(url, origin, signal);
      if (theirs.length <= own.length || theirs[own.length - 1]?.digest !== own.at(-1)?.digest) return;
      // of several that answer one may have been faster
      if ((await keys.chain(origin)).length >= theirs.length) return;
      keys.keepChain(theirs);
      await this.#tell(url);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof CallFailed || error instanceof NotBelieved || error instanceof KeyFileError)) throw error;
      logger.debug({ code: 'root-not-learned', namespace, url, error }, 'no newer root statements came from there');
    }
  }

  async #tell(url: string): Promise<void> {
    const { namespace, keys, clock, logger } = this.#options;
    const now: EpochMs = clock.now();
    const signer = await namespaceSigner(keys, namespace, now);
    if (typeof signer !== 'string') {
      logger.warn({ code: 'root-changed', namespace, url }, 'the root has stated something that was not known here');
      return;
    }
    const replaced = { code: 'primary-replaced', namespace, url, reason: signer };
    logger.error(
      replaced,
      'the root has named another key: another node is the primary, and nothing that this one publishes is believed; let it replicate the namespace',
    );
  }

  async #chainAt(url: string, origin: string, signal: AbortSignal): Promise<RootChain> {
    const path = `root?origin=${encodeURIComponent(origin)}`;
    const call = { url, method: 'GET', path, content: null, fields: [], patience, signal } as const;
    const { status, text } = await this.#options.caller.ask(call, longest);
    if (status !== 200) throw new CallFailed('refused', url, String(status), `it has no root of ${origin}`);
    return openRootChain(text.trimEnd(), origin);
  }
}

const every = milliseconds(60_000);
const mostAsked = 8;
const patience = milliseconds(5000);
const longest = bytes(8_388_608);
