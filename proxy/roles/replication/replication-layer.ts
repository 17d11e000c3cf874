import { formatProxyUri } from '../../../config/origin-uri.js';
import type { Config } from '../../../config/schema.js';
import type { Bytes } from '../../../config/units.js';
import { CorrectedTime } from '../../../wlis/corrected-time.js';
import type { BlobStore } from '../../../replication/blob-store.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { viaEntry, type NodeIdentity } from '../../http/via.js';
import type { FileContents } from '../file-contents.js';
import { RefusedConfiguration } from '../refused-configuration.js';
import { upstreamMadeFrom } from '../way.js';
import { Ground } from './ground.js';
import { HeldTable } from './held-table.js';
import { NamespaceEntry } from './namespace-entry.js';
import {
  NodeWays,
  nodeParts,
  standingOf,
  type NodeParts,
  type NodeStanding,
  type NodeWaysOptions,
} from './node-parts.js';
import { openPrimary } from './open-primary.js';
import { openReplica } from './open-replica.js';
import { wantedNamespaces, type WantedNamespace } from './wanted-namespaces.js';

export interface ReplicationLayerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: NodeWaysOptions['metrics'];
}

/** The namespaces of a node as another configuration wants them. One of both methods is to be called. */
export interface PreparedReplication {
  /** Cannot fail. */
  commit(): void;
  abandon(): Promise<void>;
}

/** The namespaces that a node holds, as its configuration changes. */
export class ReplicationLayer {
  readonly time: CorrectedTime;
  readonly #options: ReplicationLayerOptions;
  #entries: HeldTable<NamespaceEntry> = new HeldTable([]);
  #ground: Ground | null = null;
  #ways: NodeWays | null = null;
  #url: string | null = null;
  #name = '';
  #standing: NodeStanding = { place: null, capacity: 1 };
  /** Those that are no longer wanted, until they have stopped. */
  #leaving: Promise<unknown> = Promise.resolve();

  constructor(options: ReplicationLayerOptions) {
    this.#options = options;
    this.time = new CorrectedTime(options.clock);
  }

  get entries(): HeldTable<NamespaceEntry> {
    return this.#entries;
  }

  /** Null while no namespace is held. */
  get ground(): Pick<Ground, 'blobs' | 'callKey' | 'keys'> | null {
    return this.#ground;
  }

  /** Opens what can fail, and changes nothing. @throws RefusedConfiguration */
  async prepare(config: Config, files: FileContents, identity: NodeIdentity): Promise<PreparedReplication> {
    const { all, problems } = wantedNamespaces(config, files);
    if (problems.length > 0) throw new RefusedConfiguration(problems);
    const { clock, logger } = this.#options;
    const isSame = this.#ground?.data === config.node.data;
    const ground = all.length === 0 ? null : isSame ? this.#ground : await Ground.open(config, clock, logger);
    const madeFrom = JSON.stringify([upstreamMadeFrom(config, files), identity.name]);
    return {
      commit: () => this.#commit(config, files, identity, { all, ground, madeFrom }),
      abandon: async () => {
        if (ground !== this.#ground) await ground?.close();
      },
    };
  }

  /** Fulfilled when everything that the last commit asked for is open, or has failed and is tried again. */
  async settled(): Promise<void> {
    await this.#leaving;
    await Promise.all([...this.#entries].map(([, entry]) => entry.opened()));
  }

  async stop(): Promise<void> {
    await this.#leaving;
    await Promise.all([...this.#entries].map(([, entry]) => entry.stop()));
    await this.#ways?.close();
    await this.#ground?.close();
  }

  #commit(
    config: Config,
    files: FileContents,
    identity: NodeIdentity,
    { all, ground, madeFrom }: { all: readonly WantedNamespace[]; ground: Ground | null; madeFrom: string },
  ): void {
    const before = new Map(this.#entries);
    const wholeFrom = (wanted: WantedNamespace): string => JSON.stringify([wanted.kind, wanted.madeFrom, madeFrom]);
    const kept = new Set(
      all.flatMap((wanted) => {
        const known = before.get(wanted.namespace);
        return known?.madeFrom === wholeFrom(wanted) ? [known] : [];
      }),
    );
    const [oldGround, oldWays] = [this.#ground, this.#ways];
    const { metrics, logger } = this.#options;
    const via = viaEntry('1.1', identity);
    // those that are kept use them still, since nothing about the ways has changed
    const oldOrNone = kept.size > 0 ? oldWays : null;
    const ways = oldOrNone ?? new NodeWays(config, files, { via, logger, metrics });
    const parts = ground && nodeParts(config, ways, { ...this.#options, ground, time: this.time });
    const entries = all.map((wanted) => {
      const known = before.get(wanted.namespace);
      if (known !== undefined && kept.has(known)) return [wanted.namespace, known] as const;
      const open = () => opened(wanted, parts as NodeParts);
      const after = Promise.all([known?.stop(), oldGround === ground ? null : this.#leaving]);
      return [
        wanted.namespace,
        new NamespaceEntry({ wanted, madeFrom: wholeFrom(wanted), open, after, logger }),
      ] as const;
    });
    this.#entries = new HeldTable(entries);
    this.#ground = ground;
    this.#url = config.node.url && formatProxyUri(config.node.url);
    this.#name = identity.name;
    this.#standing = standingOf(config);
    this.#ways = ways;
    const left = [...before.values()].filter((entry) => !kept.has(entry));
    const stopped = left.map((entry) => this.#leave(entry, oldGround === ground));
    this.#leaving = Promise.all([this.#leaving, ...stopped]).then(async () => {
      if (oldWays !== ways) await oldWays?.close();
      if (oldGround !== ground) await oldGround?.close();
    });
    if (ground === null) return;
    this.#limit(ground.blobs, config.documents.disk, kept);
    ground.collect();
  }

  /** @param isGoingOn whether the store of contents stays open */
  async #leave(entry: NamespaceEntry, isGoingOn: boolean): Promise<void> {
    const isGone = this.#entries.get(entry.namespace)?.kind !== entry.kind;
    await (isGone ? entry.leave() : entry.stop());
    if (isGoingOn) await entry.letGo();
  }

  /** What did not fit is tried again where there is more room. */
  #limit(blobs: BlobStore, limit: Bytes, kept: Iterable<NamespaceEntry>): void {
    const before = blobs.usage.limit;
    if (limit === before) return;
    blobs.limit = limit;
    if (limit > before) for (const { open } of kept) open?.haveRoom();
  }

  /** Of this node, for people. */
  get name(): string {
    return this.#name;
  }

  get place(): NodeStanding['place'] {
    return this.#standing.place;
  }

  get capacity(): number {
    return this.#standing.capacity;
  }

  /** How other nodes reach this one; null if they cannot. */
  get url(): string | null {
    return this.#url;
  }
}

const opened = (wanted: WantedNamespace, parts: NodeParts) =>
  wanted.kind === 'primary' ? openPrimary(wanted, parts) : openReplica(wanted, parts);
