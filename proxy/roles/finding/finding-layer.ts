import { formatProxyUri } from '../../../config/origin-uri.js';
import type { Config } from '../../../config/schema.js';
import { milliseconds, type EpochMs } from '../../../config/units.js';
import { HttpNodeCaller } from '../../../wlis/calls/http-node-caller.js';
import type { NodeCaller } from '../../../wlis/calls/node-caller.js';
import { DirectoryReports } from '../../../wlis/directory/directory-reports.js';
import { Directory, type DirectoryOptions } from '../../../wlis/directory/directory.js';
import type { DirectorySettings } from '../../../wlis/directory/directory-settings.js';
import type { NodeReach } from '../../../wlis/directory/node-reach.js';
import type { NameSource } from '../../../wlis/names/name-resolution.js';
import { Failover } from '../../../wlis/failover/failover.js';
import type { FailoverSettings } from '../../../wlis/failover/failover-settings.js';
import { PrimaryRelay } from '../../../wlis/failover/primary-relay.js';
import { WlisUpstream } from '../../../wlis/failover/wlis-upstream.js';
import { parseNamespace, type Namespace } from '../../../wlis/namespace.js';
import type { KeyId } from '../../../wlis/trust/public-key.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { HttpUpstream } from '../../forward/http-upstream.js';
import type { Upstream } from '../../forward/upstream.js';
import type { UpstreamMetrics } from '../../forward/upstream-metrics.js';
import { hrefOf, type TargetUri } from '../../http/target-uri.js';
import { viaEntry, type NodeIdentity } from '../../http/via.js';
import type { FileContents } from '../file-contents.js';
import { NodeWays } from '../replication/node-parts.js';
import { upstreamMadeFrom } from '../way.js';
import { ChoiceLayer } from './choice-layer.js';
import { GatewayUpstream } from './gateway-upstream.js';
import { MirrorLayer } from './mirror-layer.js';

export interface FindingLayerOptions {
  readonly clock: Clock;
  /** By the own clock, corrected by what others say of the time. */
  readonly now: () => EpochMs;
  readonly logger: Logger;
  readonly metrics: UpstreamMetrics;
  /** What this node holds itself. */
  readonly holdings: Pick<DirectoryOptions, 'held' | 'isHeld'>;
  /** A namespace has been learned: what came of it before was not proven. */
  readonly onLearned: (namespace: Namespace) => void;
}

/** Finding and choosing as another configuration wants it. One of both methods is to be called. */
export interface PreparedFinding {
  /** Cannot fail. */
  commit(): void;
  abandon(): Promise<void>;
}

/** What a node knows of namespaces that others hold, and how it chooses among those, as its configuration changes. */
export class FindingLayer {
  readonly choice: ChoiceLayer;
  /** Gets documents from those who hold them. */
  readonly failover: Failover;
  /** The way to primaries through their replicas. */
  readonly relay: PrimaryRelay;
  readonly mirrors: MirrorLayer;
  /** What the operator is told of all that. */
  readonly reports: DirectoryReports;
  /** How others are reached under the configuration that is in force. */
  readonly reach: NodeReach;
  readonly #options: FindingLayerOptions;
  #opened: Opened | null = null;
  #ways: Ways | null = null;
  /** What is no longer wanted, until it has ended. */
  #leaving: Promise<unknown> = Promise.resolve();

  constructor(options: FindingLayerOptions) {
    this.#options = options;
    this.choice = new ChoiceLayer(options);
    this.mirrors = new MirrorLayer({ ...options, choice: this.choice });
    const { clock, now, logger } = options;
    this.reports = new DirectoryReports(
      () => this.directory,
      now,
      () => this.choice.health.blamed(),
    );
    this.failover = new Failover({
      ...{ clock, now, logger, settings: untilConfigured },
      upstreamFor: (namespace) => this.upstreamFor(namespace),
      ...{ chooser: this.choice.chooser, attempts: this.choice.health, samples: this.choice.samples },
      positions: this.choice.positions,
    });
    this.relay = new PrimaryRelay({
      ...{ clock, chooser: this.choice.chooser, attempts: () => this.failover.settings.attempts },
      through: (namespace, member) => this.#current.through(namespace, member),
    });
    this.reach = {
      callerFor: (namespace) => this.callerFor(namespace),
      allowsUrl: (namespace, url) => this.#current.allowsUrl(namespace, url),
    };
  }

  /** Null until the first configuration is in force. */
  get directory(): Directory | null {
    return this.#opened?.directory ?? null;
  }

  /** Who has signed names, the one whose word counts most first. */
  get signedNames(): readonly NameSource[] {
    return this.directory?.nameSources() ?? [];
  }

  /** The way to origin servers, with those who hold copies of what they have. */
  around(upstream: Upstream): Upstream {
    const { failover, relay } = this;
    return new WlisUpstream({ upstream, finder: () => this.directory, failover, relay });
  }

  /** The same to a namespace that a site stands for. */
  gateway(upstream: Upstream, namespace: TargetUri): Upstream {
    return new GatewayUpstream(this.around(upstream), (target) => {
      const { directory } = this;
      if (directory === null || directory.of(target) !== null) return null;
      return directory.want(parseNamespace(hrefOf(namespace)));
    });
  }

  /** To nodes of a namespace. */
  upstreamFor(namespace: Namespace | null): HttpUpstream {
    return this.#current.upstreamFor(namespace, null);
  }

  /** Calls to nodes of a namespace; null for calls about none. They are not signed. */
  callerFor(namespace: Namespace | null): NodeCaller {
    return this.#callerBy(this.#current, namespace);
  }

  /** Opens what can fail, and changes nothing. @throws RefusedConfiguration */
  async prepare(config: Config, files: FileContents, identity: NodeIdentity): Promise<PreparedFinding> {
    const choice = await this.choice.prepare(config, files);
    const ways = this.#waysFor(config, files, identity);
    const settings = directorySettings(config);
    const { data } = config.node;
    const isSame = this.#opened?.data === data;
    // what it remembers is read while the one before is still in use: both are of other directories
    const opened = isSame ? this.#opened : { data, directory: await this.#open(data, settings, ways) };
    return {
      commit: () => {
        this.#commit({ opened, ways, settings, commitChoice: () => choice.commit(this.reach) });
        this.failover.configure(failoverSettings(config.clientSide));
      },
      abandon: async () => {
        if (opened !== this.#opened) await opened?.directory.stop();
        if (ways !== this.#ways) await ways.ways.close();
      },
    };
  }

  /** Fulfilled when nothing of a former configuration is left. */
  settled(): Promise<unknown> {
    return this.#leaving;
  }

  async stop(): Promise<void> {
    await this.#leaving;
    await this.#opened?.directory.stop();
    this.mirrors.stop();
    await this.choice.stop();
    await this.#ways?.ways.close();
  }

  #commit({ opened, ways, settings, commitChoice }: Committed): void {
    const [directoryBefore, waysBefore] = [this.#opened, this.#ways];
    this.#opened = opened;
    this.#ways = ways;
    commitChoice();
    const ending: Promise<unknown>[] = [this.#leaving];
    if (directoryBefore === opened) ending.push(opened?.directory.configure(settings) ?? Promise.resolve());
    else if (directoryBefore !== null) ending.push(directoryBefore.directory.stop());
    // what is under way goes on by the connections that it has
    if (waysBefore !== null && waysBefore !== ways) ending.push(waysBefore.ways.close());
    this.#leaving = Promise.all(ending);
  }

  get #current(): NodeWays {
    if (this.#ways === null) throw new Error('nothing is configured yet');
    return this.#ways.ways;
  }

  #callerBy(ways: NodeWays, namespace: Namespace | null): NodeCaller {
    const { clock, now } = this.#options;
    return new HttpNodeCaller({ upstream: ways.upstreamFor(namespace, null), key: null, clock, now });
  }

  #open(data: string, settings: DirectorySettings, first: Ways): Promise<Directory> {
    const { clock, now, logger } = this.#options;
    const reach: NodeReach = {
      // a node that is starting has no configuration in force yet
      callerFor: (namespace) => this.#callerBy((this.#ways ?? first).ways, namespace),
      allowsUrl: (namespace, url) => (this.#ways ?? first).ways.allowsUrl(namespace, url),
    };
    const { holdings, onLearned } = this.#options;
    const own = { ...holdings, onLearned };
    return Directory.open({ data, reach, settings, clock, now, logger, chance: Math.random, ...own });
  }

  #waysFor(config: Config, files: FileContents, identity: NodeIdentity): Ways {
    const { privateAddresses, peers } = config.wlis;
    const madeFrom = JSON.stringify([upstreamMadeFrom(config, files), identity, privateAddresses, peers]);
    if (this.#ways?.madeFrom === madeFrom) return this.#ways;
    const { logger, metrics } = this.#options;
    return { ways: new NodeWays(config, files, { via: viaEntry('1.1', identity), logger, metrics }), madeFrom };
  }
}

function directorySettings({ roles, wlis }: Config): DirectorySettings {
  return {
    most: wlis.namespaces,
    roots: new Map(wlis.trust.roots.map(({ origin, key }) => [formatProxyUri(origin), key as KeyId])),
    firstUse: wlis.trust.firstUse,
    peers: wlis.peers.map(formatProxyUri),
    exchangeEvery: wlis.exchangeEvery,
    namingKeys: wlis.trust.names as readonly KeyId[],
    isDirectory: roles.includes('wlis'),
  };
}

function failoverSettings({ attempts, patience, hedge }: Config['clientSide']): FailoverSettings {
  const { enabled, after, budget } = hedge;
  const share = { after: Number(after.slice(1)) / 100, budget: Number(budget.slice(0, -1)) / 100 };
  return { attempts, patience, hedge: { enabled, ...share } };
}

/** Nothing is asked before that. */
const untilConfigured: FailoverSettings = {
  attempts: 1,
  patience: milliseconds(1000),
  hedge: { enabled: false, after: 1, budget: 0 },
};

interface Opened {
  readonly data: string;
  readonly directory: Directory;
}

interface Ways {
  readonly ways: NodeWays;
  /** Everything that they were made from. */
  readonly madeFrom: string;
}

interface Committed {
  readonly opened: Opened | null;
  readonly ways: Ways;
  readonly settings: DirectorySettings;
  readonly commitChoice: () => void;
}
