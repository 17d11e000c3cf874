import { createHash } from 'node:crypto';
import type { MirrorSpace } from '../../../wlis/html/mirror/mirror-space.js';
import { MirrorPlaces, type ShownSet } from '../../../wlis/html/mirror/mirror-places.js';
import type { ReplicationLayer } from '../replication/replication-layer.js';

/** What of the namespaces of a node is shown in each of its mirror spaces. */
export class ShownNamespaces {
  readonly #layer: Pick<ReplicationLayer, 'entries'>;
  #shown: Shown | null = null;
  readonly #places = new Map<string, MirrorPlaces>();

  constructor(layer: Pick<ReplicationLayer, 'entries'>) {
    this.#layer = layer;
  }

  /** @param isSecure whether that is reached over TLS: namespaces of https are shown nowhere else */
  in(space: MirrorSpace, isSecure: boolean): MirrorPlaces {
    const shown = this.#current();
    const key = `${isSecure ? 'https' : 'http'} ${space.name}`;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    if (this.#places.size >= mostKept) this.#places.clear();
    const places = new MirrorPlaces(space, isSecure ? shown.all : shown.plain);
    this.#places.set(key, places);
    return places;
  }

  #current(): Shown {
    const { entries } = this.#layer;
    if (this.#shown?.of === entries) return this.#shown;
    this.#places.clear();
    const longestFirst = [...entries].map(([one]) => one).sort((a, b) => b.length - a.length);
    const plain = longestFirst.filter((one) => one.startsWith('http:'));
    return (this.#shown = { of: entries, all: setOf(longestFirst), plain: setOf(plain) });
  }
}

interface Shown {
  readonly of: ReplicationLayer['entries'];
  readonly all: ShownSet;
  readonly plain: ShownSet;
}

const setOf = (namespaces: ShownSet['namespaces']): ShownSet => ({
  namespaces,
  key: createHash('sha256').update(namespaces.join(' ')).digest('base64url').slice(0, 16),
});

/** Clients may name any port. */
const mostKept = 16;
