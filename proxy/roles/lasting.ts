import type { OperatorControl } from '../admin/operator-control.js';
import type { AccessLog } from '../base/access-log.js';
import type { Clock } from '../base/clock.js';
import type { RootLogger } from '../base/logger.js';
import type { CachingHandler } from '../cache/caching-handler.js';
import type { StoreLayers } from '../cache/store-layers.js';
import type { CallHandler } from '../../wlis/calls/call-handler.js';
import type { ToldLoads } from '../../wlis/piggyback/told-load.js';
import type { WaitingCalls } from '../../wlis/calls/waiting-calls.js';
import type { Views } from '../../wlis/html/views/views.js';
import type { TlsOnlyHosts } from '../../wlis/names/tls-only-hosts.js';
import type { ReplicationControl } from '../../replication/replication-control.js';
import type { FindingLayer } from './finding/finding-layer.js';
import type { DiskLayer } from './disk-layer.js';
import type { ReplicationLayer } from './replication/replication-layer.js';
import type { SearchLayer } from './search/search-layer.js';
import type { NodeMetrics } from './node-metrics.js';
import type { TakenOver } from './taken-over.js';

/** The parts of a node that live through every change of its configuration. */
export interface Lasting {
  readonly logger: RootLogger;
  readonly clock: Clock;
  /** Identifies this process to other nodes. */
  readonly instance: string;
  readonly store: StoreLayers;
  readonly disk: DiskLayer;
  readonly cache: CachingHandler;
  /** Pages as they are made for browsers. */
  readonly views: Views;
  readonly accessLog: AccessLog;
  readonly takenOver: TakenOver;
  readonly metrics: NodeMetrics;
  readonly namespaces: ReplicationLayer;
  readonly finding: FindingLayer;
  readonly search: SearchLayer;
  /** What this node says of its load. */
  readonly loads: ToldLoads;
  readonly calls: CallHandler;
  /** Calls that wait for something to happen. */
  readonly waiting: WaitingCalls;
  readonly replication: ReplicationControl;
  readonly tlsOnly: TlsOnlyHosts;
  readonly control: OperatorControl;
}
