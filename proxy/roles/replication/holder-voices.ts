import { GroupSaying } from '../../../replication/serving/group-saying.js';
import { nothingSaid, type Saying } from '../../../replication/serving/document-handler.js';
import { originOf } from '../../../wlis/namespace.js';
import type { ToldLoads } from '../../../wlis/piggyback/told-load.js';
import type { Fields } from '../../http/fields.js';
import type { OpenNamespace } from './open-namespace.js';
import type { ReplicationLayer } from './replication-layer.js';

/** What this node says in its answers of the groups of the namespaces that it holds. */
export class HolderVoices {
  readonly #layer: ReplicationLayer;
  readonly #loads: ToldLoads;
  readonly #voices = new WeakMap<OpenNamespace, GroupSaying>();

  constructor(layer: ReplicationLayer, loads: ToldLoads) {
    this.#layer = layer;
    this.#loads = loads;
  }

  /** @param asked the fields of the request */
  of(open: OpenNamespace, asked: Fields): Saying {
    const known = this.#voices.get(open) ?? this.#made(open);
    return known === null ? silent : known.for(asked);
  }

  #made(open: OpenNamespace): GroupSaying | null {
    const { ground, url, time, capacity } = this.#layer;
    if (ground === null) return null;
    const { namespace, role } = open.held;
    const voice = new GroupSaying({
      group: () => open.tree.group,
      self: ground.callKey.publicKey,
      // a primary answers calls under the name of its namespace too
      url: url ?? (role === 'primary' ? originOf(namespace) : null),
      ...{ loads: this.#loads, capacity, now: time.now },
    });
    this.#voices.set(open, voice);
    return voice;
  }
}

const silent: Saying = () => nothingSaid;
