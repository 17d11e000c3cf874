import { join } from 'node:path';
import type { EpochMs, Milliseconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import type { SignedGroup } from '../../wlis/trust/group.js';
import type { SignedHead } from '../../wlis/trust/head.js';
import { keyIdOf, type KeyId, type PublicKey } from '../../wlis/trust/public-key.js';
import { CallProblem } from '../../wlis/calls/call-problem.js';
import type { ToldHead } from '../../wlis/calls/head-field.js';
import type { NodeCaller } from '../../wlis/calls/node-caller.js';
import { childRenewal, Children, type ToldNode } from './children.js';
import type { HeadClaim } from './claimed-head.js';
import { Hints } from './hints.js';
import type { ChildAnswer } from './join-answer.js';
import type { HeldVersion, JoinRequest, ReplicaNode } from './join-request.js';
import { KnownGroup } from '../../wlis/known-group.js';
import { Membership } from './membership.js';
import { MembershipFile } from './membership-file.js';
import type { NamespaceTree } from './namespace-tree.js';
import { Notifier } from './notifier.js';

export interface ReplicaTreeOptions {
  readonly namespace: Namespace;
  /** A directory for what has to be kept. */
  readonly data: string;
  /** The primary, or another node that knows it: `https://m1.example`. */
  readonly from: string;
  /** This node as a replica; without URLs if nobody can call it. */
  readonly self: ReplicaNode;
  /** Of the operator of the primary; null for none. */
  readonly token: string | null;
  readonly caller: NodeCaller;
  /** The key of that name if it signs for the namespace. */
  readonly keyFor: (id: KeyId) => PublicKey | null;
  /** As of `KnownGroupOptions`. */
  readonly everKeyFor?: (id: KeyId) => PublicKey | null;
  /** What is held whole; null before the first taking over. */
  readonly held: () => HeldVersion | null;
  /** The newest head that is believed, be it held or not yet. */
  readonly known: () => HeadClaim | null;
  /** As of `HintsOptions`. */
  readonly onHint: (told: ToldHead | null) => void;
  /** The sources, the group or the standing of the membership have changed. */
  readonly onChanged: () => void;
  /** As of `MembershipOptions`. */
  readonly onRefused?: (url: string, error: unknown) => void;
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  /** From 0 to below 1, as of `Math.random`. */
  readonly chance: () => number;
  readonly logger: Logger;
}

/** The tree of a namespace at a replica: its membership and the nodes above it, and those below that it tells of changes. */
export class ReplicaTree implements NamespaceTree {
  readonly namespace: Namespace;
  readonly members = null;
  readonly membership: Membership;
  readonly hints: Hints;
  readonly notifier: Notifier;
  readonly #children = new Children(mostChildren);
  readonly #group: KnownGroup;
  readonly #clock: Clock;

  private constructor(options: ReplicaTreeOptions, group: KnownGroup, membership: Membership) {
    const { namespace, caller, clock, logger, known, onHint } = options;
    this.namespace = namespace;
    this.membership = membership;
    this.#group = group;
    this.#clock = clock;
    this.hints = new Hints({ known, onHint, clock });
    const onRefused = (id: KeyId): void => this.#children.remove(id);
    this.notifier = new Notifier({ namespace, caller, clock, logger, onRefused });
  }

  /** @throws Error what the system says */
  static async open(options: ReplicaTreeOptions): Promise<ReplicaTree> {
    const { namespace, logger, keyFor, everKeyFor = keyFor, now } = options;
    const { file, memory, fault } = await MembershipFile.open(join(options.data, 'membership'), namespace);
    if (fault !== null) {
      const lost = { code: 'membership-damaged', namespace, reason: fault };
      logger.warn(lost, 'what was known of the group is damaged: without the primary nobody else is known');
    }
    const group = new KnownGroup({ namespace, keyFor, everKeyFor, now, logger });
    return new ReplicaTree(options, group, new Membership({ ...options, group, file, memory }));
  }

  get group(): SignedGroup | null {
    return this.#group.current;
  }

  /** Where strangers are in the group they may be here as well. */
  get isOpen(): boolean {
    return this.group?.group.replicas.some(({ access }) => access === 'open') === true;
  }

  async start(): Promise<void> {
    this.hints.start();
    await this.membership.start();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.hints.stop();
    await Promise.all([this.notifier.stop(), this.membership.stop()]);
  }

  /**
   * What a head says is held whole now: the primary and those below are told.
   * @param age how long ago the primary published it
   */
  announce(head: SignedHead, age: Milliseconds): void {
    this.membership.report();
    this.notifier.announce(head, age, this.told());
  }

  /** The nodes that are told of changes. */
  children(): readonly KeyId[] {
    return this.#children.ids(this.#clock.monotonic());
  }

  memberKey(id: KeyId): PublicKey | null {
    const member = this.#group.member(id);
    // it may have joined since
    if (member === null) void this.membership.learnGroup();
    return member?.key ?? null;
  }

  async join(request: JoinRequest): Promise<ChildAnswer> {
    const id = keyIdOf(request.key);
    if (id === this.membership.sources()[0]?.id) {
      throw new CallProblem(409, 'above', 'this node pulls from that one itself');
    }
    if (this.#group.member(id) === null) await this.membership.learnGroup();
    if (this.#group.member(id) === null) {
      throw new CallProblem(403, 'not-admitted', `the group that is known here does not name the key ${id}`);
    }
    if (!this.#children.add(id, this.#clock.monotonic())) {
      throw new CallProblem(503, 'full', `${mostChildren} nodes are told by this one already`, ['Retry-After', '300']);
    }
    this.notifier.welcome({ id, urls: this.#group.member(id)?.urls ?? [] });
    return { as: 'child', renewAfter: childRenewal };
  }

  leave(id: KeyId): Promise<void> {
    this.#children.remove(id);
    return Promise.resolve();
  }

  /** At the URLs that the primary has confirmed, whatever they say themselves. */
  told(): readonly ToldNode[] {
    return this.children().flatMap((id) => {
      const urls = this.#group.member(id)?.urls ?? [];
      return urls.length === 0 ? [] : [{ id, urls }];
    });
  }
}

const mostChildren = 256;
