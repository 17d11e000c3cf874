import type { NamespaceReport } from '../../../replication/namespace-report.js';
import type {
  NamespaceStatus,
  Promotion,
  ReplicationControl,
  ScanReport,
} from '../../../replication/replication-control.js';
import type { ListVersion } from '../../../replication/replica-standing.js';
import type { Namespace } from '../../../wlis/namespace.js';
import { WillisError } from '../../base/errors.js';
import type { NamespaceEntry } from './namespace-entry.js';
import type { SourceControl } from './open-namespace.js';
import type { ReplicationLayer } from './replication-layer.js';

/** What the operator side may know of the replication of its node, and ask of it. */
export class NodeReplication implements ReplicationControl {
  readonly #layer: ReplicationLayer;

  constructor(layer: ReplicationLayer) {
    this.#layer = layer;
  }

  namespaces(): readonly NamespaceReport[] {
    return [...this.#layer.entries]
      .map(([, entry]) => entry.report())
      .sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  }

  status(namespace: Namespace): NamespaceStatus {
    const entry = this.#entry(namespace);
    return entry.open?.status() ?? { report: entry.report(), head: null, primary: null, replicas: null, source: null };
  }

  async scan(namespace: Namespace): Promise<ScanReport> {
    return (await this.#source(namespace)).scan();
  }

  async allowRemovals(namespace: Namespace): Promise<ScanReport> {
    return (await this.#source(namespace)).allowRemovals();
  }

  async waitForAll(namespace: Namespace, signal: AbortSignal): Promise<ListVersion> {
    return (await this.#source(namespace)).waitForAll(signal);
  }

  async promote(namespace: Namespace): Promise<Promotion> {
    const { promote } = await this.#entry(namespace).whenOpen();
    if (promote === null)
      throw new WillisError('promotion-refused', `this node is the primary of ${namespace} already`);
    return promote();
  }

  async #source(namespace: Namespace): Promise<SourceControl> {
    const { source, toPrimary } = await this.#entry(namespace).whenOpen();
    if (source !== null) return source;
    throw new WillisError('not-primary', `the primary of ${namespace} is ${toPrimary?.url ?? 'another node'}`);
  }

  #entry(namespace: Namespace): NamespaceEntry {
    const entry = this.#layer.entries.get(namespace);
    if (entry !== undefined) return entry;
    const held = [...this.#layer.entries].map(([one]) => one).join(', ');
    const others = held === '' ? ': this node replicates nothing' : `; held are ${held}`;
    throw new WillisError('not-found', `${namespace} is not held here${others}`);
  }
}
