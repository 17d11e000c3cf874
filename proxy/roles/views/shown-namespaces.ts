import type { MirrorSpace } from '../../../wlis/html/mirror-space.js';
import { MirrorPlaces } from '../../../wlis/html/mirror-places.js';
import type { ReplicationLayer } from '../replication/replication-layer.js';

/** What of the namespaces of a node is shown in each of its mirror spaces. */
export class ShownNamespaces {
  readonly #layer: Pick<ReplicationLayer, 'entries'>;
  #madeFrom: ReplicationLayer['entries'] | null = null;
  readonly #places = new Map<string, MirrorPlaces>();

  constructor(layer: Pick<ReplicationLayer, 'entries'>) {
    this.#layer = layer;
  }

  /** @param isSecure whether that is reached over TLS: namespaces of https are shown nowhere else */
  in(space: MirrorSpace, isSecure: boolean): MirrorPlaces {
    const { entries } = this.#layer;
    if (this.#madeFrom !== entries || this.#places.size > mostKept) this.#places.clear();
    this.#madeFrom = entries;
    const key = `${isSecure ? 'https' : 'http'} ${space.name}`;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const all = [...entries].map(([namespace]) => namespace);
    const places = new MirrorPlaces(
      space,
      all.filter((one) => isSecure || one.startsWith('http:')),
    );
    this.#places.set(key, places);
    return places;
  }
}

/** Clients may name any port. */
const mostKept = 16;
