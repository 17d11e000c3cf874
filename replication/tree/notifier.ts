import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import {
  bytes,
  milliseconds,
  monotonicMs,
  toSeconds,
  type Milliseconds,
  type MonotonicMs,
} from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { Histogram, latencyBounds } from '../../proxy/base/histogram.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import type { SignedHead } from '../../wlis/trust/head.js';
import type { KeyId } from '../../wlis/trust/public-key.js';
import { HEAD_FIELD, headField } from '../../wlis/calls/head-field.js';
import type { NodeCaller } from '../../wlis/calls/node-caller.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';
import { WakeTimer } from '../source/wake-timer.js';
import type { ToldNode } from './children.js';
import { refused } from './tree-calls.js';

export interface NotifierOptions {
  readonly namespace: Namespace;
  readonly caller: NodeCaller;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The child does not replicate the namespace: it is no child. */
  readonly onRefused: (id: KeyId) => void;
}

/**
 * Tells other nodes that a namespace has changed: each the newest head only, one call at a time. Those who do not answer are
 * told a few times more and hold up nobody: they have a part of the calls under way for themselves.
 */
export class Notifier {
  readonly #options: NotifierOptions;
  readonly #timer: WakeTimer;
  readonly #telling = new Map<KeyId, Telling>();
  readonly #stopped = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #unwellUnderWay = 0;
  #last: Pick<News, 'head' | 'age' | 'since'> | null = null;

  /** Calls that were answered as they are to be. */
  sent = 0;
  failed = 0;
  /** From the news to the answer of the child. */
  readonly latency = new Histogram(latencyBounds);

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#timer = new WakeTimer(options.clock, () => this.look());
    this.#timer.start();
    // as many as there are calls under way
    setMaxListeners(0, this.#stopped.signal);
  }

  /**
   * Tells these of a head. Who is not among them any more is told nothing more.
   * @param age how long ago the primary published it
   */
  announce(head: SignedHead, age: Milliseconds, children: readonly ToldNode[]): void {
    if (this.#stopped.signal.aborted) return;
    const now = this.#options.clock.monotonic();
    this.#last = { head, age, since: now };
    const ids = new Set(children.map(({ id }) => id));
    for (const [id, telling] of this.#telling) if (!ids.has(id) && !telling.isUnderWay) this.#telling.delete(id);
    for (const telling of this.#telling.values()) telling.news = null;
    for (const { id, urls } of children) {
      if (urls.length === 0) continue;
      const known = this.#telling.get(id);
      const news = { head, age, since: now, wanted: now, attempts: 0, notBefore: now };
      if (known === undefined) this.#telling.set(id, { id, urls, news, isUnderWay: false, isUnwell: false, turn: 0 });
      else Object.assign(known, { urls, news });
    }
    this.look();
  }

  /** Tells one that has just become a child of the last head, which it may have missed. */
  welcome({ id, urls }: ToldNode): void {
    if (this.#last === null || urls.length === 0 || this.#telling.has(id)) return;
    const now = this.#options.clock.monotonic();
    const news = { ...this.#last, wanted: now, attempts: 0, notBefore: now };
    this.#telling.set(id, { id, urls, news, isUnderWay: false, isUnwell: false, turn: 0 });
    this.look();
  }

  /** Does what has become due. The timer calls it. */
  look(): void {
    if (this.#stopped.signal.aborted) return;
    const now = this.#options.clock.monotonic();
    for (const telling of this.#telling.values()) {
      const { news, isUnderWay, isUnwell } = telling;
      if (news === null || isUnderWay || this.#underWay.size >= atOnce) continue;
      if (news.notBefore > now) this.#timer.in(milliseconds(news.notBefore - now));
      else if (!isUnwell || this.#unwellUnderWay < unwellAtOnce) this.#begin(telling, news);
    }
  }

  /** Ends what is under way, and waits for that. Idempotent. */
  async stop(): Promise<void> {
    this.#timer.stop();
    this.#stopped.abort(new Error('the node stops'));
    await Promise.all(this.#underWay);
    this.#telling.clear();
  }

  #begin(telling: Telling, news: News): void {
    const { isUnwell } = telling;
    telling.isUnderWay = true;
    telling.news = null;
    if (isUnwell) this.#unwellUnderWay++;
    const done = this.#tell(telling, news).finally(() => {
      this.#underWay.delete(done);
      telling.isUnderWay = false;
      if (isUnwell) this.#unwellUnderWay--;
      this.look();
    });
    this.#underWay.add(done);
  }

  async #tell(telling: Telling, news: News): Promise<void> {
    const { clock, logger, namespace, onRefused } = this.#options;
    const { id, urls } = telling;
    const url = urls[telling.turn % urls.length] ?? '';
    try {
      await this.#call(url, news);
      this.sent++;
      telling.isUnwell = false;
      this.latency.observe(toSeconds(milliseconds(clock.monotonic() - news.wanted)));
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      const failed = { code: 'notification-failed', namespace, replica: id, attempts: news.attempts + 1, error };
      logger.debug(failed, 'a replica could not be told');
      if (error instanceof CallFailed && error.reason === 'not-replicated') onRefused(id);
      this.#failedWith(telling, news);
    }
  }

  #failedWith(telling: Telling, news: News): void {
    this.failed++;
    telling.isUnwell = true;
    telling.turn++;
    const wait = retries[news.attempts];
    // something newer may have come meanwhile
    if (wait === undefined || telling.news !== null) return;
    const notBefore = monotonicMs(this.#options.clock.monotonic() + wait);
    telling.news = { ...news, attempts: news.attempts + 1, notBefore };
  }

  async #call(url: string, { head, age, since }: News): Promise<void> {
    const { namespace, caller, clock } = this.#options;
    const { epoch, seq } = head.head;
    const nonce = randomBytes(12).toString('base64url');
    const told = headField({ jws: head.jws, age: milliseconds(age + (clock.monotonic() - since)) });
    const answer = await caller.ask(
      {
        ...{ url, method: 'GET', content: null, fields: [HEAD_FIELD, told], patience },
        path: `changed?namespace=${encodeURIComponent(namespace)}&epoch=${epoch}&seq=${seq}&n=${nonce}`,
        signal: this.#stopped.signal,
      },
      longestAnswer,
    );
    if (answer.status !== 202) throw refused(url, answer);
  }
}

interface Telling {
  readonly id: KeyId;
  urls: readonly string[];
  /** What waits to be told. */
  news: News | null;
  isUnderWay: boolean;
  /** The last call failed. */
  isUnwell: boolean;
  /** Which of the URLs is next. */
  turn: number;
}

interface News {
  readonly head: SignedHead;
  readonly age: Milliseconds;
  /** When the head had that age. */
  readonly since: MonotonicMs;
  /** From when on this child was to be told. */
  readonly wanted: MonotonicMs;
  readonly attempts: number;
  readonly notBefore: MonotonicMs;
}

const atOnce = 64;
const unwellAtOnce = 16;
/** What is waited before a call is repeated. Whoever misses all of them asks by itself. */
const retries = [1000, 4000];
const patience = milliseconds(5000);
const longestAnswer = bytes(16_384);
