import { setTimeout as sleep } from 'node:timers/promises';
import { bytes, type Bytes, type Milliseconds } from '../../config/units.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { Epoch } from '../../wlis/trust/epoch.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { BlobStoreError } from '../blob-store-error.js';
import type { BlobStore } from '../blob-store.js';
import type { RemoteHolder } from '../remote-holder.js';
import { pullBundles, type BundlesEnd } from './bundle-pull.js';
import type { ContentPull, ContentSources } from './content-pull.js';
import { orAborted, type ContentPulls } from './content-pulls.js';
import { retryDelay } from './retry-delay.js';
import { NoSource, type Refusal } from './source-trial.js';
import { WantedContents, type Progress, type WantedContent } from './wanted-contents.js';

export interface PullerOptions {
  readonly store: BlobStore;
  readonly pulls: ContentPulls;
  /** In the order in which they are to be asked; asked anew each time. */
  readonly sources: () => readonly RemoteHolder[];
  /** How many contents are pulled at once. */
  readonly concurrency?: number;
  /** It is in the store, and durable after the next `sync` of that. */
  readonly onHave: (digest: Digest) => void;
  /**
   * Tried again later; but not after a NotBelieved, which says that no content can be as the record says. Null: a bundle, whose
   * contents come by themselves.
   */
  readonly onFailed: (digest: Digest | null, error: unknown) => void;
  readonly onRefused: (refusal: Refusal) => void;
  /** Fulfilled after that time; over, be it rejected, once the signal is given. */
  readonly delay?: (time: Milliseconds, signal: AbortSignal) => Promise<void>;
  /** From 0 to below 1. */
  readonly chance?: () => number;
}

export interface WantedSet {
  /** Of the numbers of the changes; null if no bundles are to be asked for. */
  readonly epoch: Epoch | null;
  /** In the order in which they are wanted. */
  readonly contents: Iterable<WantedContent>;
}

interface Running {
  readonly ending: AbortController;
  readonly wanted: WantedContent;
  pull: ContentPull | null;
}

const usualConcurrency = 8;
/** For fewer short contents no bundle is asked for. */
const leastBundled = 8;

/**
 * Gets the contents that are wanted into the store, several at once, short ones in bundles. What fails is tried again, after a
 * while or when `retry` says that it is worth it; while nobody answers, nothing else is tried either.
 */
export class Puller {
  readonly #options: PullerOptions;
  readonly #wanted = new WantedContents();
  readonly #running = new Map<Digest, Running>();
  /** Those that are ending included. */
  readonly #tasks = new Set<Promise<void>>();
  readonly #counters = { bytesPulled: 0, bytesSpared: 0 };
  readonly #from: ContentSources;
  #epoch: Epoch | null = null;
  #bundle: AbortController | null = null;
  /** What became of the bundles for what is wanted. */
  #bundling: 'to-do' | BundlesEnd = 'done';
  /** How often something was wanted. */
  #sets = 0;
  /** Set while the sources are left alone for a while; then nothing is begun if `isOutage`. */
  #retrying: { readonly ending: AbortController; isOutage: boolean } | null = null;
  /** In a row. */
  #failures = 0;
  #isPaused = false;
  #isStopped = false;

  constructor(options: PullerOptions) {
    this.#options = options;
    this.#from = {
      sources: options.sources,
      onRefused: options.onRefused,
      onBytes: (size) => void (this.#counters.bytesPulled += size),
      onSpared: (size) => void (this.#counters.bytesSpared += size),
    };
  }

  /** Of what was last wanted and not there then. */
  get progress(): Progress {
    const progress = this.#wanted.progress;
    return { ...progress, bytesDone: bytes(progress.bytesDone + this.underWay) };
  }

  /** How much has come of contents that are being pulled. */
  get underWay(): Bytes {
    let sum = 0;
    for (const { pull } of this.#running.values()) sum += pull?.position ?? 0;
    return bytes(sum);
  }

  /** Since the start: bytes that came, and those that were here already in other contents. */
  get counters(): { readonly bytesPulled: Bytes; readonly bytesSpared: Bytes } {
    const { bytesPulled, bytesSpared } = this.#counters;
    return { bytesPulled: bytes(bytesPulled), bytesSpared: bytes(bytesSpared) };
  }

  /**
   * These are wanted, and nothing else any more. What is in the store is left out, without `onHave`; what is being pulled and
   * still wanted goes on; what is not wanted any more ends, and leaves in the store what it has. Whoever wants contents retains
   * them in the store, with their block lists, before: the store keeps others for a while only.
   */
  want({ epoch, contents }: WantedSet): void {
    const { store } = this.#options;
    const missing = function* (): Generator<WantedContent> {
      for (const wanted of contents) {
        const { digest, length } = wanted.content;
        if (store.lengthOf(digest) !== length) yield wanted;
      }
    };
    this.#wanted.replace(missing(), (digest) => this.#running.has(digest));
    this.#epoch = epoch;
    this.#bundling = 'to-do';
    this.#sets++;
    for (const [digest, running] of this.#running) if (!this.#wanted.has(digest)) this.#end(digest, running);
    if (this.#bundle !== null && this.#wanted.bundled === null) this.#bundle.abort(notWanted());
    this.#pump();
  }

  /** Nothing is pulled until `resume`. */
  pause(): void {
    this.#isPaused = true;
    this.#bundle?.abort(notWanted());
    for (const [digest, running] of [...this.#running].reverse()) {
      this.#end(digest, running);
      this.#wanted.failed(digest, false);
    }
  }

  resume(): void {
    this.#isPaused = false;
    this.#pump();
  }

  /** Sources may be there again: what failed is tried at once. */
  retry(): void {
    this.#retrying?.ending.abort(notWanted());
    this.#retrying = null;
    this.#wanted.requeue();
    if (this.#bundling === 'no-source') this.#bundling = 'to-do';
    this.#pump();
  }

  /** Idempotent; waits until all has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.pause();
    this.#retrying?.ending.abort(notWanted());
    await Promise.all(this.#tasks);
  }

  #pump(): void {
    if (this.#isStopped || this.#isPaused || this.#retrying?.isOutage === true) return;
    this.#beginBundle();
    const most = (this.#options.concurrency ?? usualConcurrency) - (this.#bundle === null ? 0 : 1);
    while (this.#running.size < most) {
      const wanted = this.#wanted.next(this.#bundle !== null);
      if (wanted === null) return;
      const running: Running = { ending: new AbortController(), wanted, pull: null };
      this.#running.set(wanted.content.digest, running);
      this.#follow(this.#pull(running));
    }
  }

  async #pull(running: Running): Promise<void> {
    const { ending, wanted } = running;
    const { digest } = wanted.content;
    try {
      const { signal } = ending;
      const shared = await this.#options.pulls.join(wanted.content, wanted.relatives, this.#from, signal);
      running.pull = shared.pull;
      try {
        await orAborted(shared.done, signal);
      } finally {
        await shared.leave();
      }
      if (this.#running.get(digest) === running) this.#got(digest);
    } catch (error) {
      if (this.#running.get(digest) === running) this.#failed(digest, error);
    } finally {
      if (this.#running.get(digest) === running) this.#running.delete(digest);
      this.#pump();
    }
  }

  #got(digest: Digest): void {
    this.#failures = 0;
    this.#running.delete(digest);
    this.#wanted.done(digest);
    this.#options.onHave(digest);
  }

  #failed(digest: Digest, error: unknown): void {
    this.#running.delete(digest);
    if (error instanceof NotBelieved) this.#wanted.givenUp(digest);
    else {
      this.#wanted.failed(digest, true);
      this.#retryLater(isOutage(error));
    }
    this.#options.onFailed(digest, error);
  }

  #retryLater(isOutage: boolean): void {
    if (this.#retrying !== null) {
      this.#retrying.isOutage ||= isOutage;
      return;
    }
    const { delay = after, chance = Math.random } = this.#options;
    const retrying = { ending: new AbortController(), isOutage };
    this.#retrying = retrying;
    const wait = delay(retryDelay(++this.#failures, chance()), retrying.ending.signal);
    const retry = (): void => {
      if (this.#retrying === retrying) this.retry();
    };
    this.#follow(wait.then(retry, () => undefined));
  }

  /** Once for what is wanted; what bundles do not bring comes by itself. */
  #beginBundle(): void {
    const epoch = this.#epoch;
    if (this.#bundle !== null || this.#bundling !== 'to-do' || epoch === null) return;
    const bundled = this.#wanted.bundled;
    if (bundled === null || bundled.count < leastBundled) {
      this.#bundling = 'done';
      return;
    }
    this.#bundle = new AbortController();
    this.#follow(this.#pullBundles(this.#bundle, epoch, bundled.first - 1, bundled.last));
  }

  async #pullBundles(ending: AbortController, epoch: Epoch, after: number, last: number): Promise<void> {
    const { store, pulls, onFailed } = this.#options;
    const { settings } = pulls;
    const set = this.#sets;
    const isWanted = (digest: Digest): boolean => this.#wanted.has(digest) && !this.#running.has(digest);
    const onGot = (digest: Digest, size: Bytes): void => this.#gotBundled(digest, size);
    try {
      const options = { store, settings, from: this.#from, epoch, after, last, isWanted, onGot };
      const end = await pullBundles(options, ending.signal);
      if (this.#sets === set) this.#bundling = end;
    } catch (error) {
      // paused, or not wanted any more
      if (ending.signal.aborted) return;
      this.#bundling = 'no-source';
      this.#retryLater(true);
      onFailed(null, error);
    } finally {
      this.#bundle = null;
      this.#pump();
    }
  }

  #gotBundled(digest: Digest, size: Bytes): void {
    const expected = this.#wanted.get(digest)?.content.length;
    if (expected === size) {
      this.#got(digest);
      return;
    }
    this.#wanted.givenUp(digest);
    const error = new NotBelieved('malformed', `${digest} has ${size} bytes, not ${expected ?? 0}`);
    this.#options.onFailed(digest, error);
  }

  #end(digest: Digest, running: Running): void {
    this.#running.delete(digest);
    running.ending.abort(notWanted());
  }

  #follow(task: Promise<void>): void {
    const followed = task.finally(() => this.#tasks.delete(followed));
    this.#tasks.add(followed);
  }
}

/** Whether others would fare no better; those that somebody else is writing into the store stand alone. */
function isOutage(error: unknown): boolean {
  if (error instanceof NoSource) return error.isOutage;
  return !(error instanceof BlobStoreError) || error.fault !== 'in-use';
}

const notWanted = (): DOMException => new DOMException('it is not to be pulled now', 'AbortError');

const after = (time: Milliseconds, signal: AbortSignal): Promise<void> => sleep(time, undefined, { signal });
