import {
  milliseconds,
  monotonicMs,
  type EpochMs,
  type Milliseconds,
  type MonotonicMs,
} from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { keyIdOf, type KeyId } from '../../wlis/trust/public-key.js';
import type { NodeCaller } from '../calls/node-caller.js';
import { CallFailed } from '../remote-holder.js';
import { WakeTimer } from '../source/wake-timer.js';
import type { ReplicaAnswer, TreeNode } from './join-answer.js';
import type { HeldVersion, JoinRequest, ReplicaNode } from './join-request.js';
import type { KnownGroup } from './known-group.js';
import type { MembershipFile, MembershipMemory } from './membership-file.js';
import { PrimaryUrls } from './primary-urls.js';
import { Registration } from './registration.js';
import { SourceOrder, type Source } from './source-order.js';
import { TreeCalls } from './tree-calls.js';

export interface MembershipOptions {
  readonly namespace: Namespace;
  /** The primary, or another node that knows it. */
  readonly from: string;
  /** This node as a replica. */
  readonly self: ReplicaNode;
  readonly token: string | null;
  readonly group: KnownGroup;
  readonly file: MembershipFile;
  readonly memory: MembershipMemory | null;
  readonly caller: NodeCaller;
  readonly held: () => HeldVersion | null;
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  /** From 0 to below 1, as of `Math.random`. */
  readonly chance: () => number;
  readonly logger: Logger;
  /** The sources, the group or the standing have changed. */
  readonly onChanged: () => void;
}

/** How the membership of a replica stands. */
export interface MembershipStanding {
  /** `joined`: the primary has taken the last renewal. */
  readonly state: 'joined' | 'not-admitted' | 'untrusted' | 'unreachable' | 'refused' | 'new';
  /** One sentence; null while all is well. */
  readonly reason: string | null;
  /** Null before the first joining. */
  readonly activeUntil: EpochMs | null;
}

/**
 * The membership of this node in the group of a namespace that it replicates: joined at the primary, renewed, and used to say
 * what is held; and the nodes above, from which it pulls. Parent, ancestors and group are kept beyond the end of the process,
 * so that it goes on while the primary is away.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #id: KeyId;
  readonly #calls: TreeCalls;
  readonly #primary: PrimaryUrls;
  readonly #registration: Registration;
  readonly #timer: WakeTimer;
  readonly #order = new SourceOrder<TreeSource>();
  readonly #stopped = new AbortController();
  #memory: MembershipMemory;
  #standing: MembershipStanding;
  #renewing: Promise<void> | null = null;
  #renewAt: MonotonicMs;
  #renewedAt: MonotonicMs = monotonicMs(-Infinity);
  #isWanted = false;
  #failures = 0;
  /** The source that the primary was told of last. */
  #toldSource: KeyId | null = null;
  #learning: Promise<void> | null = null;
  #learnedAt: MonotonicMs = monotonicMs(-Infinity);

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#id = keyIdOf(options.self.key);
    this.#calls = new TreeCalls(options.caller, options.namespace, this.#id);
    this.#primary = new PrimaryUrls(options.from, options.caller, options.group);
    this.#memory = options.memory ?? { activeUntil: noTime, above: [], group: null };
    const { activeUntil } = this.#memory;
    this.#standing = { state: 'new', reason: null, activeUntil: activeUntil === noTime ? null : activeUntil };
    this.#renewAt = options.clock.monotonic();
    this.#timer = new WakeTimer(options.clock, () => this.look());
    this.#registration = new Registration({
      ...{ calls: this.#calls, clock: options.clock, request: () => this.#request(null) },
      onFailed: (url, error) => this.#registrationFailed(url, error),
      onDone: () => this.look(),
    });
    this.#setSources();
  }

  get standing(): MembershipStanding {
    return this.#standing;
  }

  /** Remembers the group and begins to join. */
  async start(): Promise<void> {
    const { group, logger, namespace } = this.#options;
    const known = this.#memory.group;
    if (known !== null) {
      await group.take(known.jws, known.learned).catch((error: unknown) => {
        if (!(error instanceof NotBelieved)) throw error;
        logger.warn({ code: 'group-forgotten', namespace, error }, 'the group that was known is not believed any more');
      });
      this.#setSources();
    }
    this.#timer.start();
    this.look();
  }

  /** Is told of changes no more; the membership runs out, so that a restart goes unnoticed. Idempotent. */
  async stop(): Promise<void> {
    this.#timer.stop();
    this.#stopped.abort(new Error('the node stops'));
    await Promise.all([this.#registration.stop(), this.#renewing, this.#learning]);
    await this.#options.file.close();
  }

  /** Leaves the group: this node replicates the namespace no more. Best done before `stop`. */
  async leave(signal: AbortSignal): Promise<void> {
    this.#timer.stop();
    for (const url of await this.#primary.urls(signal)) {
      try {
        return await this.#calls.leave(url, signal);
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
      }
    }
  }

  /** The nodes above in the order in which they are to be asked. */
  sources(): readonly TreeSource[] {
    return this.#order.ordered(this.#options.clock.monotonic());
  }

  /** From the parent to the primary, whether they do well or not. */
  get above(): readonly TreeNode[] {
    return this.#memory.above;
  }

  /** A source did not answer, or not as it should: those above it are asked first for a while. */
  failed(url: string): void {
    this.#order.failed(url, this.#options.clock.monotonic());
    this.look();
  }

  well(url: string): void {
    this.#order.well(url);
  }

  /** What is held has changed: the primary is told at once, and then at most once a second. */
  report(): void {
    this.#isWanted = true;
    this.look();
  }

  /** Asks for a newer group, if that was not done a moment ago. Fulfilled when that is over. */
  async learnGroup(): Promise<void> {
    const { clock } = this.#options;
    if (this.#learning === null && clock.monotonic() - this.#learnedAt >= learnEvery) {
      this.#learnedAt = clock.monotonic();
      this.#learning = this.#learn().finally(() => (this.#learning = null));
    }
    await this.#learning;
  }

  /** Does what has become due. The timer calls it. */
  look(): void {
    if (this.#stopped.signal.aborted) return;
    const now = this.#options.clock.monotonic();
    const inUse = this.sources()[0];
    const again = this.#registration.look(this.#registersAt(inUse));
    if ((inUse?.id ?? null) !== this.#toldSource) this.#isWanted = true;
    if (this.#isWanted && this.#failures === 0) this.#renewAt = soonest(this.#renewAt, this.#renewedAt + reportEvery);
    if (this.#renewing === null && now >= this.#renewAt) {
      this.#isWanted = false;
      this.#renewedAt = now;
      this.#renewing = this.#renew().finally(() => {
        this.#renewing = null;
        this.look();
      });
    }
    if (this.#isGroupOld() && now - this.#learnedAt >= lookForGroupEvery) void this.learnGroup();
    const waits = [this.#renewAt - now, again, this.#order.nextReturn(now), lookForGroupEvery];
    this.#timer.in(milliseconds(Math.max(1, Math.min(...waits.map((wait) => wait ?? Infinity)))));
  }

  async #renew(): Promise<void> {
    const { clock, logger, namespace } = this.#options;
    try {
      const answer = await this.#join();
      await this.#take(answer);
      this.#failures = 0;
      this.#renewAt = monotonicMs(clock.monotonic() + answer.renewAfter * (0.8 + 0.2 * this.#options.chance()));
      this.#stand({ state: 'joined', reason: null, activeUntil: answer.activeUntil });
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      if (!(error instanceof CallFailed || error instanceof NotBelieved)) {
        logger.error({ code: 'membership-failed', namespace, error }, 'the membership could not be renewed');
      }
      const wait = Math.min(firstRetry * 2 ** this.#failures++, longestRetry) * (0.75 + 0.5 * this.#options.chance());
      this.#renewAt = monotonicMs(clock.monotonic() + wait);
      this.#stand({ ...faultOf(error as Error), activeUntil: this.#standing.activeUntil });
    }
  }

  /** Joins where the primary is. @throws CallFailed of the first of its URLs that said more than nothing; NotBelieved */
  async #join(): Promise<ReplicaAnswer> {
    const { group, token } = this.#options;
    if (group.current === null) await this.#learnFrom(this.#options.from);
    let failure: CallFailed | null = null;
    for (const url of await this.#primary.urls(this.#stopped.signal)) {
      try {
        // who is a member needs no token any more
        const request = this.#request(this.#standing.state === 'joined' ? null : token);
        const answer = await this.#calls.join(url, request, this.#stopped.signal);
        if (answer.as === 'child') throw new CallFailed('not-believed', url, 'not-primary', 'it says that it is not the primary');
        this.#primary.prefer(url);
        this.#toldSource = request.source;
        return answer;
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
        if (failure === null || failure.fault === 'unreachable') failure = error;
      }
    }
    throw failure ?? new CallFailed('unreachable', this.#options.from, '', 'no URL of the primary is known');
  }

  async #take({ parent, ancestors, activeUntil, group }: ReplicaAnswer): Promise<void> {
    const known = this.#options.group;
    const isNews = group !== null && (await known.take(group, this.#options.now()));
    // nobody is above itself, whoever says so
    const above = [parent, ...ancestors].filter(({ id }) => id !== this.#id);
    const { memory } = { memory: this.#memory };
    const isMoved = JSON.stringify(above) !== JSON.stringify(memory.above);
    const isLonger = activeUntil - memory.activeUntil >= keepEvery;
    this.#memory = { activeUntil, above, group: this.#groupMemory() };
    if (isMoved || isNews) this.#setSources();
    if (isMoved || isNews || isLonger) await this.#options.file.keep(this.#memory);
  }

  #groupMemory(): MembershipMemory['group'] {
    const { current, learned } = this.#options.group;
    return current === null || learned === null ? null : { jws: current.jws, learned };
  }

  /** The parent, those above it, and the primary wherever it is. */
  #setSources(): void {
    const primary = this.#options.group.current?.group.primary;
    const id = primary === undefined ? null : keyIdOf(primary.key);
    const last: TreeSource[] = (primary?.urls ?? [this.#options.from]).map((url) => ({ id, url }));
    this.#order.set([...this.#memory.above, ...last].filter((source) => source.id !== this.#id));
  }

  async #learn(): Promise<void> {
    const { logger, namespace } = this.#options;
    for (const { url } of [...this.sources()].slice(0, mostAsked)) {
      try {
        await this.#learnFrom(url);
        if (!this.#isGroupOld()) return;
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        logger.debug({ code: 'group-not-learned', namespace, url, error }, 'no group came from there');
      }
    }
  }

  /** @throws CallFailed, NotBelieved */
  async #learnFrom(url: string): Promise<void> {
    const jws = await this.#calls.group(url, this.#stopped.signal);
    if (!(await this.#options.group.take(jws, this.#options.now()))) return;
    this.#setSources();
    this.#memory = { ...this.#memory, group: this.#groupMemory() };
    await this.#options.file.keep(this.#memory);
    this.#options.onChanged();
  }

  #isGroupOld(): boolean {
    const refreshAfter = this.#options.group.current?.group.refreshAfter;
    return refreshAfter !== undefined && this.#options.now() >= refreshAfter;
  }

  /** Where this node asks to be told of changes: nobody can tell one that has no URL, and the primary knows by the joining. */
  #registersAt(inUse: TreeSource | undefined): string | null {
    const primary = this.#options.group.current?.group.primary;
    if (inUse === undefined || primary === undefined || this.#options.self.urls.length === 0) return null;
    return inUse.id === null || inUse.id === keyIdOf(primary.key) ? null : inUse.url;
  }

  #registrationFailed(url: string, error: CallFailed): void {
    const { logger, namespace, clock } = this.#options;
    logger.info({ code: 'parent-failed', namespace, url, error }, 'the node above does not take this one: the next is asked');
    this.#order.failed(url, clock.monotonic());
    this.#options.onChanged();
  }

  #request(token: string | null): JoinRequest {
    const { self, held, group } = this.#options;
    const source = this.sources()[0]?.id ?? null;
    return { ...self, held: held(), source, group: group.current?.group.version ?? null, token };
  }

  #stand(standing: MembershipStanding): void {
    const { logger, namespace } = this.#options;
    const { state, reason } = standing;
    if (state !== this.#standing.state || reason !== this.#standing.reason) {
      if (state === 'joined') logger.info({ code: 'membership', namespace }, 'this node is in the group');
      else logger.warn({ code: 'membership', namespace, state, reason }, 'the membership could not be renewed');
    }
    this.#standing = standing;
    this.#options.onChanged();
  }
}

/** A node to pull from; its id is not known before the first joining. */
export interface TreeSource extends Source {
  readonly id: KeyId | null;
}

function faultOf(error: Error): Pick<MembershipStanding, 'state' | 'reason'> {
  const reason = error.message;
  if (error instanceof NotBelieved) return { state: 'untrusted', reason };
  if (!(error instanceof CallFailed)) return { state: 'refused', reason };
  if (error.fault === 'not-believed') return { state: 'untrusted', reason };
  if (error.reason === 'not-admitted' || error.reason === 'wrong-token') return { state: 'not-admitted', reason };
  return { state: error.fault === 'unreachable' ? 'unreachable' : 'refused', reason };
}

const soonest = (a: MonotonicMs, b: number): MonotonicMs => monotonicMs(Math.min(a, b));

const noTime = 0 as EpochMs;
const reportEvery: Milliseconds = milliseconds(1000);
const keepEvery: Milliseconds = milliseconds(240_000);
const firstRetry: Milliseconds = milliseconds(1000);
const longestRetry: Milliseconds = milliseconds(60_000);
const learnEvery: Milliseconds = milliseconds(1000);
const lookForGroupEvery: Milliseconds = milliseconds(60_000);
const mostAsked = 16;
