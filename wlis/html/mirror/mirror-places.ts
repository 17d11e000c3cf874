import type { CanonicalUri } from '../../canonical-uri.js';
import { isInside, type Namespace } from '../../namespace.js';
import type { MirrorSpace } from './mirror-space.js';

/** Namespaces that are shown to browsers. */
export interface ShownSet {
  /** The longest first. */
  readonly namespaces: readonly Namespace[];
  /** Another one for others. */
  readonly key: string;
}

/** Where the namespaces are that a node shows in one of its mirror spaces. */
export class MirrorPlaces {
  readonly #shown: ShownSet;
  readonly #known = new Map<Namespace, string>();

  constructor(
    readonly space: MirrorSpace,
    shown: ShownSet,
  ) {
    this.#shown = shown;
  }

  /** Names all that this says. */
  get key(): string {
    return `${this.space.name} ${this.#shown.key}`;
  }

  /** Where a URI is shown, with its query; null if it is not. */
  of(uri: string): string | null {
    const namespace = this.namespaceOf(uri);
    return namespace && this.#placeOf(namespace) + uri.slice(namespace.length);
  }

  /** Of which of them a URI is; null if of none. */
  namespaceOf(uri: string): Namespace | null {
    return this.#shown.namespaces.find((one) => isInside(one, uri as CanonicalUri)) ?? null;
  }

  /** Worked out when it is asked for: clients may come by any number of ports. */
  #placeOf(namespace: Namespace): string {
    const known = this.#known.get(namespace) ?? this.space.placeOf(namespace);
    this.#known.set(namespace, known);
    return known;
  }
}
