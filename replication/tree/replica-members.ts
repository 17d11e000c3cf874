import { milliseconds, monotonicMs, type EpochMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import { canonicalJson } from '../../wlis/trust/canonical-json.js';
import type { GroupMember, Replica } from '../../wlis/trust/group-member.js';
import type { Head } from '../../wlis/trust/head.js';
import { keyIdOf, type KeyId, type PublicKey } from '../../wlis/trust/public-key.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';
import type { ReplicaReport } from '../namespace-report.js';
import { holds, type ListVersion } from '../replica-standing.js';
import { WakeTimer } from '../source/wake-timer.js';
import { admission, isAdmitted, type Admission, type AdmissionRules } from './admission.js';
import type { ToldNode } from './children.js';
import { statedReplicas, toldByPrimary, wallTime, type ViewTime } from './group-view.js';
import { HeadTimes } from './head-times.js';
import type { ReplicaAnswer } from './join-answer.js';
import { nodeJson, type JoinRequest, type ReplicaNode } from './join-request.js';
import { MemberKeeping } from './member-keeping.js';
import { MemberLog } from './member-log.js';
import { MemberTable, type Member } from './member-table.js';
import { replicaReport } from './member-report.js';
import { mostMembers, roomFault } from './member-room.js';
import type { MemberLine, StoredMember } from './stored-member.js';
import type { UrlCheck } from './url-check.js';
import { untilSo } from './until-so.js';

export interface ReplicaMembersOptions {
  readonly namespace: Namespace;
  /** Of the log of members. */
  readonly path: string;
  /** The primary, as the group names it. */
  readonly self: GroupMember;
  readonly rules: AdmissionRules;
  readonly fanOut: number;
  readonly urls: UrlCheck;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Who is in the group, or what it says of them, has changed. */
  readonly onChanged: () => void;
}

/** How long a replica is in the group without being heard of. */
export const membershipTime: Milliseconds = milliseconds(900_000);
/** After what time a replica is to be heard of again. */
export const renewalTime: Milliseconds = milliseconds(300_000);

/**
 * The replicas of a namespace of which this node is the primary: who joins, renews, leaves or is not heard of any more, and
 * their places in the tree. They are kept beyond the end of the process; so is who was listed by a token. There are at most
 * 1024.
 */
export class ReplicaMembers {
  readonly #options: ReplicaMembersOptions;
  readonly #log: MemberLog;
  readonly #table: MemberTable;
  readonly #timer: WakeTimer;
  readonly #times = new HeadTimes();
  readonly #listeners = new Set<() => void>();
  readonly #confirming = new Set<KeyId>();
  readonly #keeping: MemberKeeping;
  #rules: AdmissionRules;

  private constructor(options: ReplicaMembersOptions, log: MemberLog, stored: readonly StoredMember[]) {
    this.#options = options;
    this.#log = log;
    this.#rules = options.rules;
    const primary = { id: keyIdOf(options.self.key), url: options.self.urls[0] as string };
    this.#table = new MemberTable(primary, { fanOut: options.fanOut, deepest });
    this.#timer = new WakeTimer(options.clock, () => this.look());
    this.#keeping = new MemberKeeping(log, options.clock, (id) => this.#lineOf(id));
    for (const { activeUntil, ...member } of stored)
      this.#table.put({ ...member, until: this.#restoredEnd(activeUntil) });
    this.#dropRefused();
    this.#table.arrange();
  }

  /** @throws Error what the system says of the log */
  static async open(options: ReplicaMembersOptions): Promise<ReplicaMembers> {
    const { log, members, groupVersion } = await MemberLog.open(options);
    const all = new ReplicaMembers(options, log, members);
    all.groupVersion = groupVersion;
    return all;
  }

  /** Of the newest statement of the group; null before the first. */
  groupVersion: number | null = null;

  start(): void {
    this.#timer.start();
    this.look();
  }

  /** Waits until what it knows is kept. Idempotent. */
  async stop(): Promise<void> {
    this.#timer.stop();
    await this.#keepInTime();
    await this.#log.close();
  }

  /** Does what has become due. The timer calls it. */
  look(): void {
    const now = this.#options.clock.monotonic();
    const ended = this.#table.expire(now);
    for (const { id } of ended)
      this.#noted(id, 'replica-silent', 'a replica was not heard of in time: it is in the group no more');
    if (ended.length > 0) this.#rearranged();
    if (this.#keeping.isDue(keepEvery)) void this.#keepInTime();
    this.#timer.in(milliseconds(Math.min((this.#table.nextEnd() ?? Infinity) - now, keepEvery)));
  }

  /** New rules. Who is not admitted by them any more is out at once. */
  admit(rules: AdmissionRules): void {
    this.#rules = rules;
    this.#dropRefused();
    this.#rearranged();
  }

  /**
   * A replica joins, renews its membership, or says what it holds: `request` is of whoever has its key.
   * @throws CallProblem 403 not-admitted, wrong-token; 422 url-refused, url-not-confirmed; 503 full, busy, unwell
   */
  async join(request: JoinRequest, signal: AbortSignal): Promise<Omit<ReplicaAnswer, 'group'>> {
    const id = keyIdOf(request.key);
    if (request.key === this.#options.self.key)
      throw new CallProblem(403, 'not-admitted', 'this is the key of the primary');
    const admitted = admission(this.#rules, id, request.token, this.#table.get(id)?.hadToken ?? false);
    const { held, source, key, urls, place, capacity, subset, update } = request;
    const node = { key, urls, place, capacity, subset, update };
    if (!this.#knowsUrls(id, urls)) await this.#confirm(id, node, admitted, signal);
    const before = this.#table.get(id);
    const isNews = before?.until == null || !isSameNode(before, node, admitted);
    if (isNews) this.#makeRoom(id, node, admitted);
    const until = monotonicMs(this.#options.clock.monotonic() + membershipTime);
    this.#table.put({ id, node, ...admitted, until, held, source, parent: before?.parent });
    this.#keeping.changed(id);
    if (isNews) {
      for (const other of this.#table.takeUrls(id, urls)) this.#keeping.changed(other);
      this.#noted(id, before?.until == null ? 'replica-joined' : 'replica-changed', 'a replica is in the group');
      this.#rearranged();
      await this.#keep();
    }
    this.#tell();
    return this.#answerFor(id);
  }

  /** A replica leaves. It may come again as what it was. */
  async leave(id: KeyId): Promise<void> {
    const member = this.#table.get(id);
    if (member?.until == null) return;
    this.#table.put({ ...member, until: null });
    this.#noted(id, 'replica-left', 'a replica has left');
    this.#rearranged();
    await this.#keep();
  }

  /** The key of that name, if it is of a replica of the group. */
  keyOf(id: KeyId): PublicKey | null {
    const member = this.#table.get(id);
    return member?.until == null ? null : member.node.key;
  }

  /** For the statement of the group. */
  replicas(): readonly Replica[] {
    return statedReplicas(this.#table.active(), this.#rules.rights, this.#time());
  }

  /** Those whom the primary itself tells of changes. */
  told(): readonly ToldNode[] {
    return toldByPrimary(this.#table.active(), keyIdOf(this.#options.self.key));
  }

  /** A head was published. */
  noteHead(head: ListVersion): void {
    this.#times.note(head, this.#options.clock.monotonic());
  }

  /** In the order of their keys' names. */
  reports(head: Head): readonly ReplicaReport[] {
    const time = this.#time();
    return this.#table
      .all()
      .map((member) => replicaReport(member, head, this.#times, time))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Fulfilled once all that are in the group hold that version. Rejects with the signal. */
  waitForAll(version: ListVersion, signal: AbortSignal): Promise<void> {
    const isSo = (): boolean => this.#table.active().every((member) => holds(member, version));
    return untilSo(isSo, (listener) => this.onReport(listener), signal);
  }

  /** Calls back whenever replicas have come, gone, or said what they hold. @returns what ends that */
  onReport(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** A statement of the group of this version will be about. Fulfilled when that is remembered. */
  async noteGroup(version: number): Promise<void> {
    this.groupVersion = version;
    await this.#log.keep([{ kind: 'group', version }]);
  }

  #answerFor(id: KeyId): Omit<ReplicaAnswer, 'group'> {
    const activeUntil = wallTime(this.#table.get(id)?.until ?? null, this.#time());
    return {
      ...{ as: 'replica', activeUntil, renewAfter: renewalTime },
      ...{ depth: this.#table.depthOf(id), ...this.#table.above(id) },
    };
  }

  /** @throws CallProblem 503 full */
  #makeRoom(id: KeyId, node: ReplicaNode, { access }: Admission): void {
    const fault = roomFault(this.#table, { id, node, access }, this.#rules.mostOpen);
    if (fault !== null) throw new CallProblem(503, 'full', fault, ['Retry-After', '300']);
    if (this.#table.get(id) !== undefined || this.#table.size < mostMembers) return;
    const silent = this.#table.all().find(({ until }) => until === null);
    if (silent !== undefined) this.#forget(silent.id);
  }

  #knowsUrls(id: KeyId, urls: readonly string[]): boolean {
    const known = this.#table.get(id);
    return urls.length === 0 || (known?.until != null && urls.every((url) => known.node.urls.includes(url)));
  }

  async #confirm(id: KeyId, node: ReplicaNode, admitted: Admission, signal: AbortSignal): Promise<void> {
    this.#makeRoom(id, node, admitted);
    if (this.#confirming.has(id))
      throw new CallProblem(503, 'busy', 'this node is being called back', ['Retry-After', '5']);
    this.#confirming.add(id);
    try {
      await this.#options.urls.confirm(id, node.urls, signal);
    } finally {
      this.#confirming.delete(id);
    }
  }

  #rearranged(): void {
    for (const { id } of this.#table.arrange()) this.#keeping.changed(id);
    this.#forgetEndedOpen();
    this.#tell();
    this.#options.onChanged();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #time(): ViewTime {
    const { clock } = this.#options;
    return { now: clock.monotonic(), wall: clock.now() };
  }

  #dropRefused(): void {
    for (const member of this.#table.all()) {
      if (!isAdmitted(this.#rules, member.id, member.hadToken)) this.#forget(member.id);
      else {
        const { access } = admission(this.#rules, member.id, null, member.hadToken);
        if (access !== member.access) this.#table.put({ ...member, access });
      }
    }
  }

  #forgetEndedOpen(): void {
    for (const { id, access, until } of this.#table.all()) if (until === null && access === 'open') this.#forget(id);
  }

  #forget(id: KeyId): void {
    this.#table.remove(id);
    this.#keeping.changed(id);
  }

  /** @throws CallProblem 503 unwell */
  async #keep(): Promise<void> {
    if (await this.#keepInTime()) return;
    throw new CallProblem(503, 'unwell', 'the primary cannot write down who joins', ['Retry-After', '60']);
  }

  async #keepInTime(): Promise<boolean> {
    try {
      await this.#keeping.keep();
      return true;
    } catch (error) {
      const failed = { code: 'members-unkept', namespace: this.#options.namespace, error };
      this.#options.logger.error(failed, 'the log of replicas cannot be written; it is tried again');
      return false;
    }
  }

  #lineOf(id: KeyId): MemberLine {
    const member = this.#table.get(id);
    if (member === undefined) return { kind: 'gone', id };
    const { until, ...rest } = member;
    return { kind: 'member', member: { ...rest, activeUntil: wallTime(until, this.#time()) } };
  }

  /** While the primary was away nobody could renew: who was active then has the time for it. */
  #restoredEnd(activeUntil: EpochMs): MonotonicMs | null {
    if (activeUntil === 0) return null;
    const { clock } = this.#options;
    const left = Math.min(Math.max(activeUntil - clock.now(), renewalTime), membershipTime);
    return monotonicMs(clock.monotonic() + left);
  }

  #noted(id: KeyId, code: string, message: string): void {
    const urls = this.#table.get(id)?.node.urls ?? [];
    this.#options.logger.info({ code, namespace: this.#options.namespace, replica: id, urls }, message);
  }
}

const isSameNode = (before: Member, node: Member['node'], { access }: Admission): boolean =>
  before.access === access && canonicalJson(nodeJson(before.node)) === canonicalJson(nodeJson(node));

const deepest = 8;
const keepEvery = milliseconds(5000);
