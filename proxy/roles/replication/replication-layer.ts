import type { Config } from '../../../config/schema.js';
import { milliseconds, type Bytes } from '../../../config/units.js';
import { CorrectedTime } from '../../../replication/corrected-time.js';
import { BlobStoreError } from '../../../replication/blob-store-error.js';
import type { BlobStore } from '../../../replication/blob-store.js';
import { KeyDirectory } from '../../../replication/keys/key-directory.js';
import { KeyFileError } from '../../../replication/keys/key-file-error.js';
import { CallKey } from '../../../wlis/call-key.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { viaEntry, type NodeIdentity } from '../../http/via.js';
import type { FileContents } from '../file-contents.js';
import { RefusedConfiguration } from '../refused-configuration.js';
import { upstreamMadeFrom } from '../way.js';
import { HeldTable } from './held-table.js';
import { NamespaceEntry } from './namespace-entry.js';
import { NodeWays, nodeParts, openBlobs, type NodeParts, type NodeWaysOptions } from './node-parts.js';
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

/** What is open for all namespaces together. */
interface Ground {
  readonly madeFrom: string;
  readonly directory: string;
  readonly blobs: BlobStore;
  readonly callKey: CallKey;
  readonly keys: KeyDirectory;
}

/** Blobs that nobody refers to any more are looked for so often. */
const collectEvery = milliseconds(60_000);

/** The namespaces that a node holds, as its configuration changes. */
export class ReplicationLayer {
  readonly time: CorrectedTime;
  readonly #options: ReplicationLayerOptions;
  #entries: HeldTable<NamespaceEntry> = new HeldTable([]);
  #ground: Ground | null = null;
  #ways: NodeWays | null = null;
  #url: string | null = null;
  #name = '';
  /** Those that are no longer wanted, until they have stopped. */
  #leaving: Promise<unknown> = Promise.resolve();
  #collecting: NodeJS.Timeout | null = null;

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

  get blobUsage(): { readonly blobs: number; readonly bytes: Bytes; readonly limit: Bytes } | null {
    return this.#ground?.blobs.usage ?? null;
  }

  /** Opens what can fail, and changes nothing. @throws RefusedConfiguration */
  async prepare(config: Config, files: FileContents, identity: NodeIdentity): Promise<PreparedReplication> {
    const { all, problems } = wantedNamespaces(config, files);
    if (problems.length > 0) throw new RefusedConfiguration(problems);
    const ground = all.length === 0 ? null : await this.#groundFor(config);
    const madeFrom = JSON.stringify([upstreamMadeFrom(config, files), ground?.madeFrom, identity.name]);
    return {
      commit: () => this.#commit(config, files, identity, { all, ground, madeFrom }),
      abandon: async () => {
        if (ground !== this.#ground) await ground?.blobs.close();
      },
    };
  }

  /** Fulfilled when everything that the last commit asked for is open, or has failed and is tried again. */
  async settled(): Promise<void> {
    await this.#leaving;
    await Promise.all([...this.#entries].map(([, entry]) => entry.opened()));
  }

  async stop(): Promise<void> {
    if (this.#collecting !== null) clearInterval(this.#collecting);
    await this.#leaving;
    await Promise.all([...this.#entries].map(([, entry]) => entry.stop()));
    await this.#ways?.close();
    await this.#ground?.blobs.close();
  }

  #commit(
    config: Config,
    files: FileContents,
    identity: NodeIdentity,
    { all, ground, madeFrom }: { all: readonly WantedNamespace[]; ground: Ground | null; madeFrom: string },
  ): void {
    const before = new Map(this.#entries);
    const kept = new Set<NamespaceEntry>();
    const [oldGround, oldWays] = [this.#ground, this.#ways];
    const { metrics, logger } = this.#options;
    const ways = new NodeWays(config, files, { via: viaEntry('1.1', identity), logger, metrics });
    const parts = ground && nodeParts(config, ways, { ...this.#options, ...ground, time: this.time });
    const entries = all.map((wanted) => {
      const wholeFrom = JSON.stringify([wanted.kind, wanted.madeFrom, madeFrom]);
      const known = before.get(wanted.namespace);
      if (known?.madeFrom === wholeFrom) {
        kept.add(known);
        return [wanted.namespace, known] as const;
      }
      const open = () => opened(wanted, parts as NodeParts);
      const after = Promise.all([known?.stop(), oldGround === ground ? null : this.#leaving]);
      return [wanted.namespace, new NamespaceEntry({ wanted, madeFrom: wholeFrom, open, after, logger })] as const;
    });
    this.#entries = new HeldTable(entries);
    this.#ground = ground;
    this.#url = parts?.url ?? null;
    this.#name = identity.name;
    const left = [...before.values()].filter((entry) => !kept.has(entry));
    const isGone = (entry: NamespaceEntry): boolean => this.#entries.get(entry.namespace)?.kind !== entry.kind;
    this.#leaving = Promise.all([
      this.#leaving,
      ...left.map((entry) => (isGone(entry) ? entry.leave() : entry.stop())),
    ]).then(async () => {
      if (kept.size === 0) await oldWays?.close();
      if (oldGround !== ground) await oldGround?.blobs.close();
    });
    if (kept.size === 0) this.#ways = ways;
    this.#collectFrom(ground);
  }

  #collectFrom(ground: Ground | null): void {
    if (this.#collecting !== null) clearInterval(this.#collecting);
    this.#collecting = null;
    if (ground === null) return;
    this.#collecting = setInterval(() => {
      ground.blobs.collect().catch((error: unknown) => {
        this.#options.logger.warn({ code: 'documents-not-collected', error }, 'contents could not be deleted');
      });
    }, collectEvery).unref();
  }

  /** What is open already, or opened anew. @throws RefusedConfiguration */
  async #groundFor(config: Config): Promise<Ground> {
    const { data } = config.node;
    const madeFrom = JSON.stringify([data, config.documents.disk]);
    if (this.#ground?.madeFrom === madeFrom) return this.#ground;
    if (this.#ground?.directory === data) {
      const got = 'another size while they are in use';
      throw new RefusedConfiguration([{ key: 'documents.disk', expected: 'the size that documents have had', got }]);
    }
    try {
      const keys = new KeyDirectory(data);
      const callKey = new CallKey((await keys.nodeKey()).jwk);
      const blobs = await openBlobs(config, this.#options.clock, this.#options.logger);
      return { madeFrom, directory: data, blobs, callKey, keys };
    } catch (error) {
      if (!(error instanceof BlobStoreError) && !(error instanceof KeyFileError)) throw error;
      const isTaken = error instanceof BlobStoreError && error.fault === 'in-use';
      const expected = isTaken ? 'a directory that no other node uses' : 'a directory for keys and documents';
      throw new RefusedConfiguration([{ key: 'node.data', expected, got: `${data} (${error.message})` }], {
        cause: error,
      });
    }
  }

  /** Of this node, for people. */
  get name(): string {
    return this.#name;
  }

  /** How other nodes reach this one; null if they cannot. */
  get url(): string | null {
    return this.#url;
  }
}

const opened = (wanted: WantedNamespace, parts: NodeParts) =>
  wanted.kind === 'primary' ? openPrimary(wanted, parts) : openReplica(wanted, parts);
