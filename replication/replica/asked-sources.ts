import { milliseconds, type Milliseconds } from '../../config/units.js';
import { compareVersions } from '../../wlis/trust/epoch.js';
import { judgeHead, openHead, type SignedHead } from '../../wlis/trust/head.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';
import type { RemoteHolder } from '../remote-holder.js';
import type { RootKeeper } from '../../wlis/root-keeper.js';
import type { HeldReplica } from './held-replica.js';
import type { News } from './news.js';
import type { RefusedNews } from './refused-news.js';
import type { ReplicaPlace, Source } from './replica-parts.js';
import { ReplicaRounds } from './replica-rounds.js';
import { TimeOfPrimary, type TimeOfPrimaryOptions } from './time-of-primary.js';

export interface AskedSourcesOptions extends TimeOfPrimaryOptions {
  readonly roots: Pick<RootKeeper, 'isKnown' | 'keyFor' | 'learn' | 'seek'>;
  readonly place: Pick<ReplicaPlace, 'sources' | 'others' | 'failed' | 'well'>;
  /** Another node as a holder of this namespace. */
  readonly holderAt: (url: string) => RemoteHolder;
  readonly replica: Pick<HeldReplica, 'take' | 'view'>;
  readonly refused: RefusedNews;
  /** Whether others can tell this node of news. */
  readonly isReachable: boolean;
  /** How often to ask for news that nobody told of. */
  readonly pollEvery: Milliseconds;
  /** All have been asked who were to be. */
  readonly onRound: () => void;
}

/** How long a holder may wait with its answer where nobody can tell this node of news. */
const longPoll = milliseconds(30_000);

/** How long after a head should have been stated anew its holder is taken for cut off. */
const staleAfter = milliseconds(30_000);

/**
 * Asks the nodes above for news, one after the other until one has what is newest: when somebody says that there are some, and
 * every now and then.
 */
export class AskedSources {
  readonly #options: AskedSourcesOptions;
  readonly #rounds: ReplicaRounds;
  readonly #time: TimeOfPrimary;
  readonly #ending = new AbortController();
  #source: Source | null = null;
  #failure: string | null = null;
  /** The newest that somebody told of, of which the changes may not be known yet. */
  #heardOf: SignedHead | null = null;

  constructor(options: AskedSourcesOptions) {
    this.#options = options;
    this.#time = new TimeOfPrimary(options, options.replica.view.held?.head.head ?? null);
    const wait = options.isReachable ? null : (signal: AbortSignal) => this.#awaitNews(signal);
    this.#rounds = new ReplicaRounds({ round: () => this.#round(), wait, every: options.pollEvery });
  }

  /** The one that has answered last; null while none does. */
  get source(): Source | null {
    return this.#source;
  }

  /** Why none does. */
  get failure(): string | null {
    return this.#failure;
  }

  /** The newest head that is believed, be its changes known or not. */
  get newest(): SignedHead | null {
    const taken = this.#taken;
    const heardOf = this.#heardOf;
    return heardOf !== null && isBefore(taken, heardOf) ? heardOf : taken;
  }

  get confirmedAge(): Milliseconds {
    return this.#time.confirmedAge;
  }

  /** Asks now, or once more when that has been done. */
  wake(): void {
    this.#rounds.wake();
  }

  /**
   * Somebody says that there is a newer head: this one, or null if he does not say which. What is no news costs a comparison;
   * nothing is pulled from whoever said it.
   */
  async hint(jws: string | null): Promise<void> {
    const { namespace, roots, time } = this.#options;
    if (jws !== null) {
      const offered = await openHead(jws, namespace, (id) => roots.keyFor(id)).catch(() => null);
      // another key may have been named, perhaps because there is another primary
      if (offered === null) await roots.seek(null, this.#ending.signal);
      if (offered !== null && judgeHead(this.newest?.head ?? null, offered.head, time.now()) !== 'newer') return;
      if (offered !== null) this.#heardOf = offered;
    }
    this.#rounds.wake();
  }

  /** Idempotent; fulfilled when nobody is being asked. */
  async stop(): Promise<void> {
    this.#ending.abort(new Error('the node stops'));
    await this.#rounds.stop();
  }

  get #taken(): SignedHead | null {
    return this.#options.replica.view.newest?.head ?? null;
  }

  /** @returns whether one of them has answered */
  async #round(): Promise<boolean> {
    const { place, onRound } = this.#options;
    let isWell = false;
    // as long as nobody above has news, others of the group may have
    for (const source of [...place.sources(), ...place.others()]) {
      if (this.#ending.signal.aborted) return true;
      const news = await this.#ask(source);
      if (news === null) continue;
      isWell = true;
      this.#source = source;
      if (this.#isEnough(news)) break;
    }
    if (!isWell) this.#source = null;
    else this.#failure = null;
    onRound();
    return isWell;
  }

  /** One that is behind, or has not heard of the primary for long, may be cut off itself. */
  #isEnough({ kind, answer }: News): boolean {
    if (kind === 'behind' || this.#options.time.now() >= answer.head.head.refreshAfter + staleAfter) return false;
    return this.#heardOf === null || !isBefore(this.#taken, this.#heardOf);
  }

  async #ask(source: Source): Promise<News | null> {
    const { roots, place, clock } = this.#options;
    const { signal } = this.#ending;
    try {
      if (!roots.isKnown) await roots.learn(signal);
      const began = clock.monotonic();
      const news = await this.#newsFrom(source);
      place.well(source.url, news.kind === 'behind' ? null : news.answer.head.head.epoch);
      if (news.kind !== 'behind') this.#time.note(news.answer, began);
      return news;
    } catch (error) {
      if (!signal.aborted) await this.#noteFailure(source, error);
      return null;
    }
  }

  /** @throws CallFailed, NotBelieved */
  async #newsFrom({ url }: Source): Promise<News> {
    const { roots, replica, holderAt } = this.#options;
    const { signal } = this.#ending;
    try {
      return await replica.take(holderAt(url), signal);
    } catch (error) {
      // the key may have been replaced
      if (!isOfUnknownKey(error) || !(await roots.seek(url, signal))) throw error;
      return replica.take(holderAt(url), signal);
    }
  }

  async #noteFailure({ url }: Source, error: unknown): Promise<void> {
    const { namespace, place, refused, logger } = this.#options;
    this.#failure = error instanceof Error ? error.message : String(error);
    if (!refused.note(url, error)) {
      logger.debug({ code: 'source-failed', namespace, url, error }, 'a source did not answer');
    }
    place.failed(url);
    if (isPerhapsOfClock(error)) await this.#setClock(url);
  }

  /** Calls are refused for their date: heads, which are for everybody, say what time it is. */
  async #setClock(url: string): Promise<void> {
    const { clock, time, holderAt } = this.#options;
    const before = time.offset;
    const began = clock.monotonic();
    const answer = await holderAt(url)
      .head(null, milliseconds(0), this.#ending.signal)
      .catch(() => null);
    if (answer === null) return;
    this.#time.note(answer, began);
    // otherwise it was for another reason, which is still there
    if (Math.abs(time.offset - before) > leap) this.#rounds.wake();
  }

  async #awaitNews(signal: AbortSignal): Promise<void> {
    const source = this.#source;
    if (source === null) throw new Error('nobody can be asked');
    const both = AbortSignal.any([signal, this.#ending.signal]);
    await this.#options.holderAt(source.url).head(this.#taken?.head ?? null, longPoll, both);
  }
}

const isBefore = (one: SignedHead | null, other: SignedHead): boolean =>
  one === null || compareVersions(one.head, other.head) < 0;

const isOfUnknownKey = (error: unknown): boolean =>
  (error instanceof CallFailed || error instanceof NotBelieved) && error.reason === 'wrong-signature';

/** Who refuses a key that it does not know has not looked at the date yet, for which it would not admit this node either. */
const isPerhapsOfClock = (error: unknown): boolean =>
  error instanceof CallFailed && (error.reason === 'out-of-window' || error.reason === 'unknown-key');

/** A correction that makes a difference to whoever judges a date. */
const leap = milliseconds(30_000);
