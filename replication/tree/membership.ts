import { milliseconds, monotonicMs, type EpochMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import { NotBelieved } from '../../wlis/trust/not-believed.js';
import { compareEpochs, type Epoch } from '../../wlis/trust/epoch.js';
import { locatedReplicas } from '../../wlis/trust/group-standing.js';
import { keyIdOf, type KeyId, type PublicKey } from '../../wlis/trust/public-key.js';
import type { NodeCaller } from '../../wlis/calls/node-caller.js';
import { CallFailed } from '../../wlis/calls/call-failed.js';
import { WakeTimer } from '../source/wake-timer.js';
import { GroupLearning } from './group-learning.js';
import type { ReplicaAnswer, TreeNode } from './join-answer.js';
import type { HeldVersion, JoinRequest, ReplicaNode } from './join-request.js';
import type { KnownGroup } from '../../wlis/known-group.js';
import type { MembershipFile, MembershipMemory } from './membership-file.js';
import { standingAfter, type MembershipStanding } from './membership-standing.js';
import { PrimaryJoin } from './primary-join.js';
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
  /** Something went wrong with a call: what came from there was perhaps not believed. */
  readonly onRefused?: (url: string, error: unknown) => void;
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
  readonly #registration: Registration;
  readonly #learning: GroupLearning;
  readonly #primary: PrimaryJoin;
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
  #primaryKey: PublicKey | null = null;
  #othersAt = 0;
  /** What it was told last that is held here. */
  #toldHeld = '';

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#id = keyIdOf(options.self.key);
    this.#calls = new TreeCalls(options.caller, options.namespace, this.#id);
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
    this.#learning = new GroupLearning({
      ...{ calls: this.#calls, group: options.group, clock: options.clock, now: options.now, logger: options.logger },
      sources: () => [...this.sources(), ...this.others()],
      onNews: () => this.#groupChanged(),
      onRefused: (url, error) => this.#options.onRefused?.(url, error),
    });
    const { from, group } = options;
    this.#primary = new PrimaryJoin({ from, group, calls: this.#calls, learning: this.#learning });
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
      await group.recall(known.jws, known.learned).catch((error: unknown) => {
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
    await Promise.all([this.#registration.stop(), this.#learning.stop(), this.#renewing]);
    await this.#options.file.close();
  }

  /** Leaves the group: this node replicates the namespace no more. Best done before `stop`. */
  async leave(signal: AbortSignal): Promise<void> {
    this.#timer.stop();
    await this.#primary.leave(signal);
  }

  /** The nodes above in the order in which they are to be asked. */
  sources(): readonly TreeSource[] {
    return this.#order.ordered(this.#options.clock.monotonic());
  }

  /** From the parent to the primary, whether they do well or not. */
  get above(): readonly TreeNode[] {
    return this.#memory.above.filter((one) => this.#isNamed(one));
  }

  /** A source did not answer, or not as it should: those above it are asked first for a while. */
  failed(url: string): void {
    this.#order.failed(url, this.#options.clock.monotonic());
    this.look();
  }

  /** @param epoch of the head that it has; null if that is none that matters */
  well(url: string, epoch: Epoch | null): void {
    this.#order.well(url);
    const known = this.#options.group.current?.group.epoch;
    // of another primary perhaps
    if (epoch !== null && (known === undefined || compareEpochs(epoch, known) > 0)) this.#learning.heardOf(url);
  }

  /** Some of the other replicas, others each time: for when those above have nothing. */
  others(): readonly Source[] {
    const { group, now } = this.#options;
    if (group.current === null) return [];
    const above = new Set(this.#order.all.map(({ url }) => url));
    const urls = locatedReplicas(group.current.group, now()).flatMap(({ key, urls: [url = ''] }) =>
      keyIdOf(key) === this.#id || above.has(url) ? [] : [{ url }],
    );
    const from = urls.length === 0 ? 0 : this.#othersAt % urls.length;
    this.#othersAt += mostOthers;
    return [...urls.slice(from), ...urls.slice(0, from)].slice(0, mostOthers);
  }

  /** What is held has changed, perhaps: the primary is told at once, and then at most once a second. */
  report(): void {
    if (versionText(this.#options.held()) !== this.#toldHeld) this.#isWanted = true;
    this.look();
  }

  /** Asks for a newer group, if that was not done a moment ago. Fulfilled when that is over. */
  learnGroup(): Promise<void> {
    return this.#learning.ask();
  }

  /** Asks several nodes for the newest group that there is. Fulfilled when that is over. */
  gatherGroup(): Promise<void> {
    return this.#learning.gather([...this.sources(), ...this.others()]);
  }

  /** Does what has become due. The timer calls it. */
  look(): void {
    if (this.#stopped.signal.aborted) return;
    const now = this.#options.clock.monotonic();
    const again = this.#lookAtRegistration(now);
    this.#learning.look();
    if (this.#isWanted && this.#failures === 0) this.#renewAt = soonest(this.#renewAt, this.#renewedAt + reportEvery);
    if (this.#renewing === null && now >= this.#renewAt) {
      this.#isWanted = false;
      this.#renewedAt = now;
      this.#renewing = this.#renew().finally(() => {
        this.#renewing = null;
        this.look();
      });
    }
    const renewal = this.#renewing === null ? this.#renewAt - now : null;
    const waits = [renewal, again, this.#order.nextReturn(now), lookAgain].flatMap((wait) => wait ?? []);
    this.#timer.in(milliseconds(Math.min(...waits)));
  }

  /** The source in use is the first that has not failed; if all have, it stays what it was. */
  #lookAtRegistration(now: MonotonicMs): Milliseconds | null {
    const inUse = this.sources()[0];
    if (inUse === undefined || !this.#order.isWell(inUse.url, now)) return null;
    if (inUse.id !== this.#toldSource) this.#isWanted = true;
    return this.#registration.look(this.#registersAt(inUse));
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
      this.#options.onRefused?.(error instanceof CallFailed ? error.url : this.#primary.at, error);
      this.#stand(standingAfter(error as Error, this.#standing));
      // there may be another one by now
      if (error instanceof CallFailed && error.fault === 'unreachable') this.#learning.seek(this.others());
    }
  }

  /** @throws CallFailed, NotBelieved */
  async #join(): Promise<ReplicaAnswer> {
    // who is a member needs no token any more
    const request = this.#request(this.#standing.state === 'joined' ? null : this.#options.token);
    const answer = await this.#primary.join(request, this.#stopped.signal);
    this.#toldSource = request.source;
    this.#toldHeld = versionText(request.held);
    return answer;
  }

  async #take({ parent, ancestors, activeUntil, group }: ReplicaAnswer): Promise<void> {
    const known = this.#options.group;
    const isNews = group !== null && (await known.take(group, this.#options.now()));
    // nobody is above itself, whoever says so
    const above = [parent, ...ancestors].filter(({ id }) => id !== this.#id);
    const isMoved = JSON.stringify(above) !== JSON.stringify(this.#memory.above);
    const isLonger = activeUntil - this.#memory.activeUntil >= keepEvery;
    if (!isMoved && !isNews && !isLonger) return;
    this.#memory = { ...this.#memory, activeUntil, above };
    this.#setSources();
    if (!above.every((one) => this.#isNamed(one))) void this.learnGroup();
    this.#keepMemory();
  }

  #groupChanged(): void {
    this.#setSources();
    const primary = this.#options.group.current?.group.primary.key ?? null;
    if (primary !== this.#primaryKey) {
      // it does not know what was said to the one before
      this.#primaryKey = primary;
      this.#failures = 0;
      this.#renewAt = this.#options.clock.monotonic();
    }
    this.#keepMemory();
    this.#options.onChanged();
  }

  #keepMemory(): void {
    const { group, file, logger, namespace } = this.#options;
    const { current, learned } = group;
    const known = current === null || learned === null ? null : { jws: current.jws, learned };
    this.#memory = { ...this.#memory, group: known };
    file.keep(this.#memory).catch((error: unknown) => {
      const unkept = { code: 'membership-unkept', namespace, error };
      logger.error(
        unkept,
        'what is known of the group cannot be written down: a restart without the primary would not know it',
      );
    });
  }

  /** The parent, those above it, and the primary wherever it is. */
  #setSources(): void {
    const primary = this.#options.group.current?.group.primary;
    const id = primary === undefined ? null : keyIdOf(primary.key);
    const last: TreeSource[] = (primary?.urls ?? [this.#options.from]).map((url) => ({ id, url }));
    const above = this.#memory.above.filter((one) => this.#isNamed(one));
    this.#order.set([...above, ...last].filter((source) => source.id !== this.#id));
  }

  /** Nobody is called because of an answer alone, which is not signed: the group says who has joined, and where he is. */
  #isNamed({ id, url }: TreeNode): boolean {
    const group = this.#options.group.current?.group;
    if (group === undefined) return true;
    return [group.primary, ...group.replicas].some(({ key, urls }) => urls.includes(url) && keyIdOf(key) === id);
  }

  /** Where this node asks to be told of changes: nobody can tell one that has no URL, and the primary knows by the joining. */
  #registersAt(inUse: TreeSource): string | null {
    const primary = this.#options.group.current?.group.primary;
    if (primary === undefined || this.#options.self.urls.length === 0) return null;
    return inUse.id === null || inUse.id === keyIdOf(primary.key) ? null : inUse.url;
  }

  #registrationFailed(url: string, error: Error): void {
    const { logger, namespace, clock } = this.#options;
    logger.info(
      { code: 'parent-failed', namespace, url, error },
      'the node above does not take this one: the next is asked',
    );
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

const versionText = (held: HeldVersion | null): string =>
  held === null ? '' : `${held.epoch}.${held.seq}.${held.root}`;

const soonest = (a: MonotonicMs, b: number): MonotonicMs => monotonicMs(Math.min(a, b));

const noTime = 0 as EpochMs;
const reportEvery: Milliseconds = milliseconds(1000);
const keepEvery: Milliseconds = milliseconds(240_000);
const firstRetry: Milliseconds = milliseconds(1000);
const longestRetry: Milliseconds = milliseconds(60_000);
/** Of the other replicas. */
const mostOthers = 3;
/** At least so often everything is looked at. */
const lookAgain: Milliseconds = milliseconds(60_000);
