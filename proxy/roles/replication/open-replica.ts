import { join } from 'node:path';
import { bytes, milliseconds } from '../../../config/units.js';
import { HttpRemoteHolder } from '../../../replication/calls/http-remote-holder.js';
import type { NamespaceReport } from '../../../replication/namespace-report.js';
import { Bandwidth } from '../../../replication/pull/bandwidth.js';
import { ContentPulls } from '../../../replication/pull/content-pulls.js';
import { FetchedContent } from '../../../replication/pull/fetched-content.js';
import type { RemoteHolder } from '../../../replication/remote-holder.js';
import { HoldingRules } from '../../../replication/replica/holding-rules.js';
import { ReplicatedNamespace } from '../../../replication/replica/replicated-namespace.js';
import { RootKeeper } from '../../../wlis/root-keeper.js';
import type { Membership } from '../../../replication/tree/membership.js';
import { ReplicaTree } from '../../../replication/tree/replica-tree.js';
import { namespaceLabel, type Namespace } from '../../../wlis/namespace.js';
import type { Version } from '../../../wlis/trust/epoch.js';
import type { Promotion } from '../../../replication/replication-control.js';
import type { NodeParts } from './node-parts.js';
import type { OpenNamespace, WayToPrimary } from './open-namespace.js';
import { promote } from './promotion.js';
import type { WantedReplica } from './wanted-namespaces.js';

/** Opens what a replica has of a namespace, and begins to follow. @throws Error what the system says */
export async function openReplica(wanted: WantedReplica, parts: NodeParts): Promise<OpenNamespace> {
  const { namespace, keys, from } = wanted;
  const { patience } = keys;
  const { clock, logger, blobs, time } = parts;
  const directory = replicaDirectory(parts.data, namespace);
  const caller = parts.callerFor(namespace, from);
  const known: { membership: Membership | null } = { membership: null };
  const roots = await RootKeeper.open({
    ...{ namespace, caller, clock, logger, patience, configured: wanted.root, firstUse: wanted.firstUse },
    others: () => [from, ...membersAround(known.membership)],
    directory: join(parts.data, 'roots'),
  });
  const keyFor = roots.keyFor.bind(roots);
  const everKeyFor = roots.everKeyFor.bind(roots);
  const holders = new Map<string, RemoteHolder>();
  const holderAt = (url: string): RemoteHolder => {
    const holder = holders.get(url) ?? new HttpRemoteHolder({ url, namespace, caller, patience, keyFor });
    if (holders.size > mostHolders) holders.clear();
    holders.set(url, holder);
    return holder;
  };
  const rules = new HoldingRules(keys);
  const replica: { held: ReplicatedNamespace | null } = { held: null };
  const tree = await ReplicaTree.open({
    ...{ namespace, data: directory, from, token: wanted.token, caller, clock, now: time.now, logger },
    ...{ keyFor, everKeyFor },
    self: {
      ...{ key: parts.callKey.publicKey, urls: parts.url === null ? [] : [parts.url], ...parts.standing },
      ...{ subset: rules.subset, update: keys.update === 'immediately' ? 'immediately' : 'scheduled' },
    },
    held: () => replica.held?.heldVersion ?? null,
    known: () => replica.held?.known ?? null,
    onHint: (told) => void replica.held?.hint(told?.jws ?? null),
    onChanged: () => replica.held?.wake(),
    onRefused: (url, error) => void replica.held?.refused.note(url, error),
    chance: Math.random,
  });
  known.membership = tree.membership;
  const pulls = new ContentPulls(blobs, {
    clock,
    bandwidth: new Bandwidth({ limit: keys.bandwidth, clock }),
    patience,
  });
  const sources = (): readonly RemoteHolder[] =>
    [...tree.membership.sources(), ...tree.membership.others()].map(({ url }) => holderAt(url));
  const content = new FetchedContent({
    ...{ store: blobs, pulls, sources },
    isKept: (variant) => variant.length <= (keys.maxBytes ?? Infinity),
    relativesOf: () => [],
    onDamaged: (error, variant) => {
      logger.warn({ code: 'document-damaged', namespace, error }, 'a content is fetched anew');
      void replica.held?.mend(variant);
    },
    onRefused: ({ url, reason, message }) => replica.held?.refused.noteContent(url, reason, message),
    onBytes: (size) => void (fetched.bytesPulled += size),
    onSpared: (size) => void (fetched.bytesSpared += size),
  });
  const fetched = { bytesPulled: 0, bytesSpared: 0 };
  const held = await ReplicatedNamespace.open({
    ...{ namespace, path: join(directory, 'journal'), blobs, rules, keepsRemoved: keys.onDelete === 'keep' },
    ...{ roots, time, clock, logger, holderAt, content, pulls, pollEvery: keys.pollEvery },
    place: {
      sources: () => tree.membership.sources(),
      failed: (url) => tree.membership.failed(url),
      others: () => tree.membership.others(),
      well: (url, epoch) => tree.membership.well(url, epoch),
      announce: (head, age) => tree.announce(head, age),
      get group() {
        return tree.group;
      },
      get refusal() {
        return tree.membership.standing.reason;
      },
    },
    window: keys.update === 'immediately' ? null : keys.update,
    isReachable: parts.url !== null,
  }).catch(async (error: unknown) => {
    // it is tried again with another one
    await tree.stop();
    throw error;
  });
  replica.held = held;
  return new OpenReplica({ wanted, parts, held, tree, roots, fetched });
}

/** Where a replica keeps what it has to know of a namespace. */
export const replicaDirectory = (data: string, namespace: Namespace): string =>
  join(data, 'namespaces', namespaceLabel(namespace), 'replica');

interface ReplicaParts {
  readonly wanted: WantedReplica;
  readonly parts: NodeParts;
  readonly held: ReplicatedNamespace;
  readonly tree: ReplicaTree;
  readonly roots: RootKeeper;
  /** For visitors, besides what is pulled. */
  readonly fetched: { readonly bytesPulled: number; readonly bytesSpared: number };
}

class OpenReplica implements OpenNamespace {
  readonly source = null;
  readonly promote = () => this.#promote();
  readonly leave = () => this.tree.membership.leave(AbortSignal.timeout(leavePatience));
  readonly held: ReplicatedNamespace;
  readonly tree: ReplicaTree;
  readonly #options: ReplicaParts;
  #promoting: Promise<Promotion> | null = null;
  readonly #started: Promise<void>;

  constructor(options: ReplicaParts) {
    this.#options = options;
    this.held = options.held;
    this.tree = options.tree;
    this.#started = this.#start();
  }

  rootChain() {
    return this.#options.roots.chain;
  }

  get known(): Version | null {
    return this.held.known;
  }

  get toPrimary(): WayToPrimary {
    const { wanted, parts } = this.#options;
    const stated = this.tree.group?.group.primary.urls[0];
    const url = stated ?? wanted.from;
    return { url, isStated: stated !== undefined, upstream: parts.upstreamFor(wanted.namespace, wanted.from) };
  }

  report(): NamespaceReport {
    const { held, tree } = this;
    const { standing, edition } = held;
    const { membership, notifier, hints } = tree;
    const above = membership.above.map(({ url }) => url);
    const head = edition?.head.head;
    const { fetched } = this.#options;
    return {
      ...{ namespace: held.namespace, role: 'replica', state: standing.state, reason: standing.reason },
      version: head === undefined ? null : { epoch: head.epoch, seq: head.seq, root: head.root },
      known: standing.known === null ? null : { epoch: standing.known.epoch, seq: standing.known.seq },
      ...{ documents: standing.documents, bytes: standing.bytes, totalBytes: standing.totalBytes },
      ...{ lag: standing.lag, confirmedAge: held.confirmedAge },
      ...{ parent: standing.source?.url ?? above[0] ?? null, ancestors: above },
      activeUntil: membership.standing.activeUntil,
      children: tree.told().map(({ urls: [url = ''] }) => url),
      counters: {
        changes: standing.changes,
        bytesPulled: bytes(standing.counters.bytesPulled + fetched.bytesPulled),
        bytesSpared: bytes(standing.counters.bytesSpared + fetched.bytesSpared),
        refused: held.refused.counts,
        notificationsReceived: hints.received,
        notificationsSent: notifier.sent,
        notificationsFailed: notifier.failed,
      },
    };
  }

  status() {
    const head = this.held.edition?.head.head ?? null;
    return { report: this.report(), head, primary: this.toPrimary.url, replicas: null, source: null };
  }

  haveRoom(): void {
    this.held.wake();
  }

  async stop(): Promise<void> {
    await this.#started;
    await this.held.stop();
    await this.tree.stop();
    this.#options.parts.time.forget(this.held.namespace);
  }

  letGo(): Promise<void> {
    return this.held.letGo();
  }

  /** One at a time. */
  #promote(): Promise<Promotion> {
    const { parts, held, tree, roots } = this.#options;
    const begin = async (): Promise<Promotion> => {
      // others may have joined since this node heard of the group
      await tree.membership.gatherGroup();
      return promote({ parts, held, group: tree.group?.group ?? null, chain: roots.chain });
    };
    this.#promoting ??= begin().finally(() => (this.#promoting = null));
    return this.#promoting;
  }

  async #start(): Promise<void> {
    const { logger } = this.#options.parts;
    try {
      // whoever signs is to be known before anything signed is looked at; the rounds ask again
      await this.#options.roots.learn(AbortSignal.timeout(rootPatience)).catch(() => undefined);
      await this.tree.start();
      this.held.start();
    } catch (error) {
      const { namespace } = this.held;
      logger.error({ code: 'namespace-failed', namespace, error }, 'a namespace cannot be replicated');
    }
  }
}

/** Nodes of the group, those above first. */
const membersAround = (membership: Membership | null): readonly string[] =>
  membership === null ? [] : [...membership.sources(), ...membership.others()].map(({ url }) => url);

/** So long those who know the root are waited for before everything else begins. */
const rootPatience = milliseconds(5000);

/** So long the primary is waited for when a replica leaves. */
const leavePatience = milliseconds(3000);

const mostHolders = 256;
