import { join } from 'node:path';
import { milliseconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { Namespace } from '../../wlis/namespace.js';
import type { Epoch } from '../../wlis/trust/epoch.js';
import type { SignedGroup } from '../../wlis/trust/group.js';
import type { GroupMember } from '../../wlis/trust/group-member.js';
import type { SignedHead } from '../../wlis/trust/head.js';
import type { SigningKey } from '../../wlis/trust/jws.js';
import type { NamespacePolicy } from '../../wlis/trust/namespace-policy.js';
import { keyIdOf, type KeyId, type PublicKey } from '../../wlis/trust/public-key.js';
import { identifyNode } from '../../wlis/calls/identify-node.js';
import type { NodeCaller } from '../../wlis/calls/node-caller.js';
import type { AdmissionRules } from './admission.js';
import { GroupStatement } from './group-statement.js';
import type { ReplicaAnswer } from './join-answer.js';
import type { JoinRequest } from './join-request.js';
import type { NamespaceTree } from './namespace-tree.js';
import { Notifier } from './notifier.js';
import { ReplicaMembers } from './replica-members.js';
import { UrlCheck } from './url-check.js';

export interface PrimaryTreeOptions {
  readonly namespace: Namespace;
  /** A directory for what has to be kept. */
  readonly data: string;
  /** This node, as the group names it: with at least one URL. */
  readonly self: GroupMember;
  readonly rules: AdmissionRules;
  readonly fanOut: number;
  /** Whether a replica may be at that URL, as far as it says. */
  readonly allowsUrl: (url: string) => boolean;
  readonly caller: NodeCaller;
  readonly epoch: () => Epoch;
  readonly policy: () => NamespacePolicy;
  readonly signer: () => SigningKey | Promise<SigningKey>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The group was stated anew. */
  readonly onGroup: (group: SignedGroup) => void;
}

/** The tree of a namespace at its primary: its replicas, the statement of the group, and those who are told of changes. */
export class PrimaryTree implements NamespaceTree {
  readonly namespace: Namespace;
  readonly hints = null;
  readonly members: ReplicaMembers;
  readonly notifier: Notifier;
  readonly #statement: GroupStatement;
  #rules: AdmissionRules;

  private constructor(options: PrimaryTreeOptions, members: ReplicaMembers, statement: GroupStatement) {
    this.namespace = options.namespace;
    this.members = members;
    this.#statement = statement;
    this.#rules = options.rules;
    const { namespace, caller, clock, logger } = options;
    // who is no replica any more will not renew its membership
    this.notifier = new Notifier({ namespace, caller, clock, logger, onRefused: () => undefined });
  }

  /** @throws Error what the system says */
  static async open(options: PrimaryTreeOptions): Promise<PrimaryTree> {
    const { namespace, self, clock, logger, caller } = options;
    const urls = new UrlCheck({
      identify: async (url, signal) => (await identifyNode(caller, url, callBackPatience, signal)).key,
      allows: options.allowsUrl,
      clock,
    });
    const members = await ReplicaMembers.open({
      ...{ namespace, self, clock, logger, urls, rules: options.rules, fanOut: options.fanOut },
      path: join(options.data, 'members'),
      onChanged: () => statement.changed(),
    });
    const statement = new GroupStatement({
      ...{ namespace, self, clock, logger, epoch: options.epoch, policy: options.policy, signer: options.signer },
      replicas: () => members.replicas(),
      version: members.groupVersion,
      onVersion: (version) => members.noteGroup(version),
      onStated: options.onGroup,
    });
    return new PrimaryTree(options, members, statement);
  }

  get group(): SignedGroup | null {
    return this.#statement.current;
  }

  get isOpen(): boolean {
    return this.#rules.accept === 'open';
  }

  /** Fulfilled when the first statement of the group is made, or has failed, which is logged and tried again. */
  async start(): Promise<void> {
    this.members.start();
    await this.#statement.start();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await Promise.all([this.notifier.stop(), this.#statement.stop()]);
    await this.members.stop();
  }

  /** The operator has said other rules. */
  admit(rules: AdmissionRules): void {
    this.#rules = rules;
    this.members.admit(rules);
  }

  /** The epoch, the policy or the key that signs is another one. */
  restate(): void {
    this.#statement.changed();
  }

  /** A head was signed: those below are told. */
  announce(head: SignedHead): void {
    this.members.noteHead(head.head);
    this.notifier.announce(head, milliseconds(0), this.members.told());
  }

  memberKey(id: KeyId): PublicKey | null {
    return this.members.keyOf(id);
  }

  async join(request: JoinRequest, signal: AbortSignal): Promise<ReplicaAnswer> {
    const answer = await this.members.join(request, signal);
    const told = this.members.told().find(({ id }) => id === keyIdOf(request.key));
    if (told !== undefined) this.notifier.welcome(told);
    const isStated = this.group?.group.replicas.some(({ key }) => key === request.key) === true;
    const stated = isStated ? this.group : await this.#statement.settled();
    const isKnown = stated === null || stated.group.version === request.group;
    return { ...answer, group: isKnown ? null : stated.jws };
  }

  leave(id: KeyId): Promise<void> {
    return this.members.leave(id);
  }
}

const callBackPatience = milliseconds(5000);
