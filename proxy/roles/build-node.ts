import { randomBytes } from 'node:crypto';
import type { Config } from '../../config/schema.js';
import { ToldLoads } from '../../wlis/piggyback/told-load.js';
import { WaitingCalls } from '../../wlis/calls/waiting-calls.js';
import { Views } from '../../wlis/html/views/views.js';
import type { Namespace } from '../../wlis/namespace.js';
import { TlsOnlyHosts } from '../../wlis/names/tls-only-hosts.js';
import type { ReplicationControl } from '../../replication/replication-control.js';
import type { Reload } from '../admin/operator-control.js';
import { AccessLog } from '../base/access-log.js';
import type { Clock } from '../base/clock.js';
import type { Logger, RootLogger } from '../base/logger.js';
import { CachingHandler } from '../cache/caching-handler.js';
import { InvalidationOrder } from '../cache/invalidation-marks.js';
import { MemoryStore } from '../cache/memory-store.js';
import type { PinsFull } from '../cache/pins-full.js';
import { StoreLayers } from '../cache/store-layers.js';
import { cachingSettings } from './arrangement.js';
import { DiskLayer } from './disk-layer.js';
import { heldStatements } from './finding/finding-calls.js';
import { FindingLayer } from './finding/finding-layer.js';
import { NodeMetrics, type Program } from './node-metrics.js';
import { PinsFullReports } from './pins-full-reports.js';
import { nodeCalls } from './replication/call-resources.js';
import { NodeReplication } from './replication/node-replication.js';
import { ReplicationLayer } from './replication/replication-layer.js';
import { SearchLayer } from './search/search-layer.js';
import { RunningNode, type Node } from './running-node.js';
import { TakenOver } from './taken-over.js';

export interface NodeOptions {
  readonly logger: RootLogger;
  readonly clock: Clock;
  /** How the configuration is read anew when the operator side asks for it. */
  readonly reread?: () => Promise<Reload>;
  /** The program that the node runs in, for its metrics; absent where it is not one of its own. */
  readonly program?: Program;
  /** What the operator is told of replication, and has done by it; in place of what the node itself says. */
  readonly replication?: ReplicationControl;
}

/**
 * Puts a node together from its configuration.
 * @throws RefusedConfiguration if a file that the configuration names is unusable
 */
export function buildNode(config: Config, { logger, clock, reread, program, ...options }: NodeOptions): Node {
  const instance = randomBytes(4).toString('hex');
  const { memory: limit, maxDocument, variants } = config.cache;
  const order = new InvalidationOrder();
  const pins = new PinsFullReports(logger, clock);
  const onPinsFull = (full: PinsFull): void => pins.refused('memory', full);
  const store = new StoreLayers(new MemoryStore({ limit, maxDocument, variants, order, onPinsFull }));
  const disk = new DiskLayer({ store, order, clock, logger, pins });
  const caching = cachingSettings(config, { name: config.node.name, instance });
  const cache = new CachingHandler({ store, clock, logger, ...caching });
  const views = new Views({ store, clock, logger });
  const metrics = new NodeMetrics({ clock, logger, program });
  const accessLog = new AccessLog(config.log, metrics.accessLog);
  const takenOver = new TakenOver();
  const namespaces = new ReplicationLayer({ clock, logger, metrics: metrics.upstream });
  const { now } = namespaces.time;
  const finding = new FindingLayer({
    ...{ clock, now, logger, metrics: metrics.upstream },
    holdings: {
      held: () => heldStatements(namespaces),
      isHeld: (namespace) => namespaces.entries.get(namespace) !== undefined,
    },
    onLearned: (namespace) => forgetUnproven(cache, namespace, logger),
  });
  const search = new SearchLayer({ clock, logger, namespaces });
  const loads = new ToldLoads(() => metrics.load.read());
  const waiting = new WaitingCalls();
  const calls = nodeCalls({
    ...{ layer: namespaces, search, waiting, clock, logger },
    finding: {
      directory: () => finding.directory,
      isOut: (url) => finding.choice.health.of(url).breaker === 'open',
      chance: Math.random,
    },
  });
  const replication = options.replication ?? new NodeReplication(namespaces);
  const held = { namespaces, finding, search, loads, calls, waiting, replication, tlsOnly: new TlsOnlyHosts() };
  const lasting = { logger, clock, instance, store, disk, cache, views, accessLog, takenOver, metrics, ...held };
  return new RunningNode(config, lasting, reread);
}

/**
 * What was stored of a namespace before it was known came from whoever answered: a proven 304 would make it look proven too
 * (protocol decision 15).
 */
function forgetUnproven(cache: CachingHandler, namespace: Namespace, logger: Logger): void {
  cache.purge({ kind: 'prefix', prefixes: [namespace] }, 'hard').catch((error: unknown) => {
    logger.error({ code: 'unproven-kept', namespace, error }, 'what was stored before a namespace was known is kept');
  });
}
