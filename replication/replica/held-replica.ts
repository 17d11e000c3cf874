import { setImmediate } from 'node:timers/promises';
import type { EpochMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { BlobStore } from '../blob-store.js';
import type { Change } from '../change-list.js';
import type { Edition } from '../held-namespace.js';
import type { RemoteHolder } from '../remote-holder.js';
import type { HoldingRules } from './holding-rules.js';
import type { Holdings } from './holdings-count.js';
import { takeNews, type News, type TakenNews } from './news.js';
import { recalled, type RecalledReplica } from './recalled-replica.js';
import type { HeldPoint, ReplicaJournal } from './replica-journal.js';
import type { NextEdition, ReplicaView } from './replica-view.js';
import { RetainedContents } from './retained-contents.js';
import { TakenCount } from './taken-count.js';
import { ShowPlan, type Holdings as PlannedHoldings, type MissingContent } from './show-plan.js';

export interface HeldReplicaOptions {
  readonly namespace: Namespace;
  /** Of its journal. */
  readonly path: string;
  readonly blobs: BlobStore;
  readonly rules: HoldingRules;
  /** Whether contents of documents that were removed stay here. */
  readonly keepsRemoved: boolean;
  /** The head that a journal names, if it is believed. */
  readonly openHead: RecalledReplica['openHead'];
  readonly clock: Clock;
  /** The time by which heads are judged: that of the clock, corrected by what primaries say. By default as the clock has it. */
  readonly now?: () => EpochMs;
  readonly logger: Logger;
  /** These are to be pulled now, and no others. */
  readonly onWanted: (contents: readonly MissingContent[]) => void;
  /** There is another edition, or a newer head of the same. */
  readonly onEdition: () => void;
  /** What is held could not be written down, which is tried again. */
  readonly onUnwritten: (error: unknown) => void;
}

/** What is visible ahead of what is held is written down so much later, if that has not come to be held meanwhile. */
const showLater = 500;

/**
 * What a replica holds: it takes news, says which contents it wants, shows changes as their contents come, and holds the next
 * edition once all are here. Contents are durable, then the journal, then others are told (rule 1 of the protocol).
 */
export class HeldReplica {
  readonly view: ReplicaView;
  readonly taken = new TakenCount();
  readonly #options: HeldReplicaOptions;
  readonly #journal: ReplicaJournal;
  readonly #retained: RetainedContents;
  /** What was visible ahead of the list when the journal was opened. */
  readonly #recalled: Change<string>[];
  #plan: ShowPlan | null = null;
  /** Contents of what is held that were not here when that was looked at. */
  #lacking: readonly MissingContent[] = [];
  #unwritten: Change<string>[] = [];
  #writing: NodeJS.Timeout | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(options: HeldReplicaOptions, journal: ReplicaJournal, view: ReplicaView, kept: Change<string>[]) {
    this.#options = options;
    this.#journal = journal;
    this.view = view;
    this.#retained = new RetainedContents(options.blobs, options.rules, rest);
    this.#recalled = [...view.shown];
    this.#retained.keep(kept);
    // the store waits much longer before it deletes anything
    this.#begin(() => this.#retained.begin(view.held?.list.changes() ?? [], [...this.#recalled, ...kept]));
  }

  static async open(options: HeldReplicaOptions): Promise<HeldReplica> {
    const { journal, view, kept } = await recalled(options);
    return new HeldReplica(options, journal, view, kept);
  }

  /** Changes that are known and cannot be shown yet. */
  get left(): number {
    return this.#plan?.left ?? 0;
  }

  /** Of the newest documents that are known; not all of it at the start. */
  get holdings(): Holdings {
    return this.#retained.count.current;
  }

  /** Asks a holder for news. @throws CallFailed, NotBelieved */
  take(holder: RemoteHolder, signal: AbortSignal): Promise<News> {
    const { namespace, clock, now = () => clock.now() } = this.#options;
    return this.#next(async () => {
      const before = this.view.newest?.head.head ?? null;
      const news = await takeNews(holder, { namespace, view: this.view, now: now(), signal, rest });
      await this.taken.note(news, before, ({ digest }) => this.#options.blobs.has(digest), rest);
      if (news.kind === 'renewed' && this.view.next === null) await this.#noteHead();
      if (news.taken !== null) await this.#expect(news.taken);
      else if (this.#plan?.left === 0) this.#begin(() => this.#hold());
      return news;
    });
  }

  /** Wants what belongs here and is not here: after a loss, or under other rules than before. */
  complete(): Promise<void> {
    return this.#next(async () => {
      const { held } = this.view;
      if (held === null) return;
      const { wanted } = await ShowPlan.make(held.list.changes(), this.#asPlanned(), rest);
      this.#lacking = wanted;
      for (const { variant } of wanted) this.#retained.count.lost(variant);
      if (wanted.length === 0 || this.#plan !== null) return;
      this.#options.onWanted(wanted);
    });
  }

  /** A content has come. */
  arrived(digest: Digest): void {
    this.#retained.count.came(digest);
    const plan = this.#plan;
    if (plan === null) return;
    this.#show(plan.arrived(digest));
    if (plan.left === 0) this.#begin(() => this.#hold());
  }

  /** Fulfilled when what was begun is done. */
  async idle(): Promise<void> {
    await this.#turn;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#writing !== null) clearTimeout(this.#writing);
    // what cannot be written is known again when somebody is asked for it
    await this.#next(() => this.#writeShown()).catch(() => undefined);
    await this.#journal.close();
  }

  /** After `close`, where the store of contents stays open: others may have what only this needed be deleted. */
  async letGo(): Promise<void> {
    await this.#retained.end(this.#recalled.splice(0));
    await this.#retained.release(this.view.held?.list.changes() ?? []);
  }

  /** There is no room for what is wanted. @returns whether something was let go of */
  makeRoom(): boolean {
    const had = this.#retained.kept.size > 0;
    this.#retained.forgetKept();
    return had;
  }

  async #expect({ changes, isWhole }: TakenNews): Promise<void> {
    const { held, next } = this.view;
    const goesOn = isWhole || next?.isWhole !== true;
    await this.#retained.expect(changes, goesOn ? (held?.list ?? null) : null, isWhole);
    await this.#replan();
  }

  async #replan(): Promise<void> {
    const { next } = this.view;
    if (next === null) return;
    const { blobs, onWanted } = this.#options;
    const plan = await ShowPlan.make(next.list.changes(), this.#asPlanned(), rest);
    this.#plan = plan;
    this.#lacking = this.#lacking.filter(({ variant }) => !blobs.has(variant.digest));
    this.#show(plan.ready);
    for (const { variant } of plan.wanted) if (blobs.has(variant.digest)) this.#show(plan.arrived(variant.digest));
    onWanted([...plan.wanted, ...this.#lacking].filter(({ variant }) => !blobs.has(variant.digest)));
    if (plan.left === 0) this.#begin(() => this.#hold());
  }

  #asPlanned(): PlannedHoldings {
    const { blobs, rules } = this.#options;
    const { held } = this.view;
    const older = (path: string): string | null => held?.list.latest(path)?.document ?? null;
    return {
      has: ({ digest }) => blobs.has(digest),
      isPulled: (path, variant) => rules.isPulled(path, variant, this.#isHeld(path, older(path))),
      older,
    };
  }

  #isHeld(path: string, document: string | null): boolean {
    if (document === null || this.#options.rules.onChange !== 'pullIfHeld') return false;
    return this.#retained.contents(path, document).some(({ digest }) => this.#options.blobs.has(digest));
  }

  /** Once everything of the next edition is here, it is held. What fails is tried again when somebody is asked for news. */
  async #hold(): Promise<void> {
    if (this.#plan?.left !== 0 || this.view.next === null) return;
    try {
      await this.#write(this.view.next);
    } catch (error) {
      this.#options.onUnwritten(error);
      return;
    }
    const { held, next } = this.view;
    const replaced = this.#retained.arrive(held?.list ?? null, next.isWhole || held === null);
    const edition = this.view.commit();
    this.#plan = null;
    this.#unwritten = [];
    this.#options.onEdition();
    await this.#retained.release(this.#recalled.splice(0));
    await this.#letGo(replaced, edition);
    await this.#compact(edition);
  }

  async #write({ head: { head, jws }, list, isWhole }: NextEdition): Promise<void> {
    const { held } = this.view;
    await this.#options.blobs.sync();
    const point = { epoch: head.epoch, last: head.seq, head: jws };
    if (held !== null && !isWhole) {
      await this.#journal.reach({ ...point, floor: held.list.floor, isWhole }, list.changes());
      return;
    }
    await this.#journal.compact({ ...point, floor: list.floor, isWhole: true }, list, {
      visible: [],
      kept: this.#retained.kept.values(),
    });
  }

  async #letGo(replaced: readonly Change<string>[], { list }: Edition): Promise<void> {
    const { keepsRemoved } = this.#options;
    const removed = keepsRemoved
      ? replaced.filter(({ path, document }) => document !== null && (list.latest(path)?.document ?? null) === null)
      : [];
    this.#retained.keep(removed);
    if (removed.length > 0) await this.#journal.keep(removed);
    const isKept = new Set(removed);
    await this.#retained.release(removed.length === 0 ? replaced : replaced.filter((change) => !isKept.has(change)));
  }

  async #noteHead(): Promise<void> {
    const { held } = this.view;
    if (held === null) return;
    await this.#journal.reach(pointOf(held), []);
    await this.#compact(held);
    this.#options.onEdition();
  }

  async #compact(edition: Edition): Promise<void> {
    if (!this.#journal.isWorthCompacting) return;
    const beside = { visible: this.view.shown, kept: this.#retained.kept.values() };
    await this.#journal.compact(pointOf(edition), edition.list, beside);
  }

  #show(changes: readonly Change<string>[]): void {
    if (changes.length === 0 || this.view.held === null) return;
    this.view.show(changes);
    for (const change of changes) this.#unwritten.push(change);
    this.#writing ??= setTimeout(() => {
      this.#writing = null;
      if (!this.#closed) this.#begin(() => this.#writeShown());
    }, showLater);
  }

  async #writeShown(): Promise<void> {
    const changes = this.#unwritten.splice(0).sort((a, b) => a.seq - b.seq);
    if (changes.length === 0) return;
    await this.#options.blobs.sync();
    await this.#journal.show(changes);
  }

  /** What nobody waits for. */
  #begin(work: () => Promise<void>): void {
    this.#next(work).catch((error: unknown) => this.#options.onUnwritten(error));
  }

  /** One after the other; what fails is told by whoever asked for it. */
  #next<R>(work: () => Promise<R>): Promise<R> {
    const done = this.#turn.then(work);
    this.#turn = done.catch((error: unknown) => {
      const { logger, namespace } = this.#options;
      logger.debug({ code: 'replica-step-failed', namespace, error }, 'a step of a replica failed');
    });
    return done;
  }
}

const pointOf = ({ head: { head, jws }, list }: Edition): HeldPoint => ({
  epoch: head.epoch,
  last: list.last,
  floor: list.floor,
  head: jws,
  isWhole: false,
});

const rest = (): Promise<void> => setImmediate();
