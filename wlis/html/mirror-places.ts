import type { CanonicalUri } from '../canonical-uri.js';
import { isInside, type Namespace } from '../namespace.js';
import type { MirrorSpace } from './mirror-space.js';

/** Where the namespaces are that a node shows in one of its mirror spaces. */
export class MirrorPlaces {
  /** Names all that this says. */
  readonly key: string;
  readonly #all: readonly (readonly [namespace: Namespace, place: string])[];

  constructor(
    readonly space: MirrorSpace,
    namespaces: Iterable<Namespace>,
  ) {
    const longestFirst = [...namespaces].sort((a, b) => b.length - a.length);
    this.#all = longestFirst.map((one) => [one, space.placeOf(one)]);
    this.key = this.#all.map(([, place]) => place).join(' ');
  }

  /** Where a URI is shown, with its query; null if it is not. */
  of(uri: string): string | null {
    const found = this.#find(uri);
    return found && found[1] + uri.slice(found[0].length);
  }

  /** Of which of them a URI is; null if of none. */
  namespaceOf(uri: string): Namespace | null {
    return this.#find(uri)?.[0] ?? null;
  }

  #find(uri: string): readonly [namespace: Namespace, place: string] | null {
    return this.#all.find(([one]) => isInside(one, uri as CanonicalUri)) ?? null;
  }
}
