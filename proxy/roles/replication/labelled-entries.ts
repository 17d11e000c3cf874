import { namespaceLabel } from '../../../wlis/namespace.js';
import type { HeldTable } from './held-table.js';
import type { NamespaceEntry } from './namespace-entry.js';
import type { ReplicationLayer } from './replication-layer.js';

/** The namespaces of a node by their labels, as its configuration changes. */
export class LabelledEntries {
  readonly #layer: Pick<ReplicationLayer, 'entries'>;
  #madeFrom: HeldTable<NamespaceEntry> | null = null;
  #table: ReadonlyMap<string, NamespaceEntry> = new Map();

  constructor(layer: Pick<ReplicationLayer, 'entries'>) {
    this.#layer = layer;
  }

  get(label: string): NamespaceEntry | undefined {
    const { entries } = this.#layer;
    if (this.#madeFrom !== entries) {
      this.#table = new Map([...entries].map(([namespace, entry]) => [namespaceLabel(namespace), entry] as const));
      this.#madeFrom = entries;
    }
    return this.#table.get(label);
  }
}
