import type { Worker } from 'node:worker_threads';
import { bytes, milliseconds, type Bytes, type Milliseconds } from '../../config/units.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../namespace.js';
import type { Digest } from '../trust/digest.js';
import { openIndexThread } from './index-thread.js';
import type { FoundPages, IndexUsage, PagePlace } from './page-index.js';
import type { SearchQuery } from './search-query.js';
import type { HeldPage, IndexOutcome, ThreadAnswer, ThreadCall, ThreadCalls } from './thread-calls.js';

export interface SearchEngineOptions {
  readonly limit: Bytes;
  readonly logger: Logger;
  readonly open?: typeof openIndexThread;
  /** For which a thread may be silent that has something to do. */
  readonly patience?: Milliseconds;
  /** Before another thread takes the place of one that ended. */
  readonly rest?: Milliseconds;
}

/** The index that was asked is gone, with all that was in it; another one is there, and empty. */
export class IndexLost extends Error {
  override readonly name = 'IndexLost';
}

/** More is asked than can be answered. */
export class SearchBusy extends Error {
  override readonly name = 'SearchBusy';
}

/** Questions that wait for their turn. */
const mostQuestions = 16;

/**
 * An index of pages in a thread of its own, which is there from the first page on. If the thread ends, be it by a page that
 * nothing can cope with, all that it knew is gone: `onLost` says so, and that page is not taken again.
 */
export class SearchEngine {
  readonly #options: SearchEngineOptions;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<() => void>();
  /** Contents that a thread did not survive. */
  readonly #deadly = new Set<Digest>();
  #limit: Bytes;
  /** The share of the limit that is used: less where a thread has run out of memory all the same. */
  #share = 1;
  #thread: Worker | null = null;
  #usage: IndexUsage;
  #nextId = 0;
  #questions = 0;
  /** The last of them, be it answered or not. */
  #question: Promise<unknown> = Promise.resolve();
  #losses = 0;
  #resting: Promise<void> | null = null;
  #endRest = (): void => undefined;
  #watch: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: SearchEngineOptions) {
    this.#options = options;
    this.#limit = options.limit;
    this.#usage = this.#nothing;
  }

  get usage(): IndexUsage {
    return this.#usage;
  }

  /** How often a thread has ended that should not have. */
  get losses(): number {
    return this.#losses;
  }

  /** @returns what ends that */
  onLost(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @param content is the thread's from now on @throws (rejects with) IndexLost */
  async put(page: HeldPage, content: Uint8Array<ArrayBuffer>): Promise<IndexOutcome> {
    if (this.#deadly.has(page.digest)) return { kind: 'unreadable' };
    while (this.#resting !== null) await this.#resting;
    this.#start();
    return this.#call('put', { page, content }, [content.buffer]);
  }

  /** @throws (rejects with) IndexLost */
  async remove(place: PagePlace): Promise<void> {
    if (this.#thread !== null) await this.#call('remove', place);
  }

  /** @throws (rejects with) IndexLost */
  async drop(namespace: Namespace): Promise<void> {
    if (this.#thread !== null) await this.#call('drop', { namespace });
  }

  /** @returns the pages that had to go @throws (rejects with) IndexLost */
  async resize(limit: Bytes): Promise<readonly PagePlace[]> {
    this.#limit = limit;
    this.#usage = { ...this.#usage, limit: this.#used };
    return this.#thread === null ? [] : this.#call('resize', { limit: this.#used });
  }

  /**
   * One question is in the thread at a time, so that those are left out that nobody waits for any more.
   * @throws (rejects with) SearchBusy, IndexLost
   */
  async search(query: SearchQuery, namespaces: readonly Namespace[], signal: AbortSignal): Promise<FoundPages> {
    if (this.#questions >= mostQuestions) throw new SearchBusy(`${mostQuestions} questions wait already`);
    this.#questions++;
    const answer = this.#question.then(async (): Promise<FoundPages> => {
      if (signal.aborted) throw new SearchBusy('nobody waits for it any more');
      if (this.#isStopped) throw new IndexLost('the index is closed');
      if (this.#thread === null) return nothingFound;
      const found = await this.#call('search', { query, namespaces });
      if (found === null) throw new SearchBusy('it takes too long');
      return found;
    });
    this.#question = answer
      .catch(() => undefined)
      .then(() => {
        this.#questions--;
      });
    return answer;
  }

  /** All that it knew is gone. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#endRest();
    await this.#end(new IndexLost('the index is closed'));
  }

  get #used(): Bytes {
    return bytes(Math.floor(this.#limit * this.#share));
  }

  get #nothing(): IndexUsage {
    return { documents: 0, bytes: bytes(0), limit: this.#used };
  }

  #start(): void {
    if (this.#isStopped) throw new IndexLost('the index is closed');
    if (this.#thread !== null) return;
    const thread = (this.#options.open ?? openIndexThread)(this.#used);
    this.#thread = thread;
    thread.on('message', (answer: ThreadAnswer) => this.#answered(answer));
    let cause: unknown = null;
    thread.on('error', (error: unknown) => (cause = error));
    thread.on('exit', () => {
      if (this.#thread === thread) this.#lost(cause);
    });
  }

  #call<Name extends keyof ThreadCalls>(
    name: Name,
    asked: ThreadCalls[Name]['asked'],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<ThreadCalls[Name]['answer']> {
    const id = this.#nextId++;
    const call = { id, name, asked } as ThreadCall;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { call, resolve: resolve as Waiting['resolve'], reject });
      this.#thread?.postMessage(call, transfer);
      if (this.#waiting.size === 1) this.#watchOver();
    });
  }

  #answered(answer: ThreadAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    this.#usage = answer.usage;
    this.#watchOver();
    if ('failure' in answer) waiting.reject(new Error(answer.failure));
    else waiting.resolve(answer.answer);
  }

  /** Whoever has something to do and says nothing is ended. */
  #watchOver(): void {
    clearTimeout(this.#watch);
    if (this.#waiting.size === 0) return;
    const thread = this.#thread;
    const patience = this.#options.patience ?? usualPatience;
    this.#watch = setTimeout(() => void thread?.terminate(), patience).unref();
  }

  #lost(cause: unknown): void {
    this.#thread = null;
    this.#losses++;
    const isFull = cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
    if (isFull) this.#share *= 0.75;
    const [first] = this.#waiting.values();
    if (first?.call.name === 'put' && this.#deadly.size < mostDeadly) this.#deadly.add(first.call.asked.page.digest);
    const reason = cause instanceof Error ? cause.message : 'it did not answer';
    const event = {
      code: 'search-index-lost',
      reason,
      page: first?.call.name === 'put' ? uriOf(first.call.asked.page) : null,
    };
    this.#options.logger.error(event, 'the index of pages is gone, and is made anew');
    this.#usage = this.#nothing;
    this.#rest();
    this.#rejectAll(new IndexLost(reason));
    for (const listener of this.#listeners) listener();
  }

  /** Longer after each loss, so that a page that cannot be taken does not keep a processor busy. */
  #rest(): void {
    const { rest = usualRest } = this.#options;
    const time = Math.min(longestRest, rest * 2 ** Math.min(10, this.#losses - 1));
    this.#resting = new Promise((resolve) => {
      this.#endRest = () => {
        clearTimeout(timer);
        this.#resting = null;
        resolve();
      };
      const timer = setTimeout(this.#endRest, time).unref();
    });
  }

  async #end(reason: IndexLost): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    this.#usage = this.#nothing;
    this.#rejectAll(reason);
    await thread?.terminate();
  }

  #rejectAll(reason: IndexLost): void {
    clearTimeout(this.#watch);
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(reason);
  }
}

interface Waiting {
  readonly call: ThreadCall;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

const nothingFound: FoundPages = { match: 'all', total: 0, pages: [] };

const uriOf = ({ namespace, path }: PagePlace): string => namespace + path;

const mostDeadly = 10_000;
const usualPatience = milliseconds(30_000);
const usualRest = milliseconds(1000);
const longestRest = 300_000;
