import { bytes } from '../../config/units.js';
import { originOfUri, uriOfKey, type CacheKey } from './cache-key.js';
import { groupName } from './group-index.js';
import { InvalidationMarks, type InvalidationOrder } from './invalidation-marks.js';
import type { PurgeMode, PurgeSelector } from './purge.js';
import type { Generation } from './response-store.js';

/**
 * The order of purges among each other and among invalidations, so that what is under way at the moment of a purge is
 * known to be purged too. Bounded as `InvalidationMarks` is, with the same rule of the floor: in doubt too much counts as
 * purged, never too little.
 */
export class PurgeMarks {
  readonly #order: InvalidationOrder;
  readonly #soft: SelectorMarks;
  readonly #hard: SelectorMarks;

  constructor(order: InvalidationOrder) {
    this.#order = order;
    this.#soft = new SelectorMarks(order);
    this.#hard = new SelectorMarks(order);
  }

  add(selector: PurgeSelector, mode: PurgeMode): void {
    (mode === 'hard' ? this.#hard : this.#soft).add(selector);
  }

  /** How the answer to a request sent at that point was, or may have been, purged since; null: not at all. */
  after(generation: Generation, key: CacheKey, groups: readonly string[]): PurgeMode | null {
    if (generation === this.#order.current()) return null;
    if (this.#hard.concern(generation, key, groups)) return 'hard';
    return this.#soft.concern(generation, key, groups) ? 'soft' : null;
  }
}

const exactLimit = bytes(512 * 1024);
/** Prefixes are compared one by one. */
const prefixLimit = bytes(64 * 1024);

/** The marks of one mode. */
class SelectorMarks {
  /** URIs, origins, hosts as `//host`, groups. */
  readonly #exact: InvalidationMarks;
  readonly #prefixes: InvalidationMarks;

  constructor(order: InvalidationOrder) {
    this.#exact = new InvalidationMarks(exactLimit, order);
    this.#prefixes = new InvalidationMarks(prefixLimit, order);
  }

  add(selector: PurgeSelector): void {
    switch (selector.kind) {
      case 'uri':
        for (const uri of selector.uris) this.#exact.add(uri);
        return;
      case 'prefix':
        for (const prefix of selector.prefixes) this.#prefixes.add(prefix);
        return;
      case 'host':
        for (const name of selector.origins ?? [`//${selector.host}`]) this.#exact.add(name);
        return;
      case 'group':
        for (const origin of selector.origins) this.#exact.add(groupName(origin, selector.group));
    }
  }

  concern(generation: Generation, key: CacheKey, groups: readonly string[]): boolean {
    const uri = uriOfKey(key);
    const origin = originOfUri(uri);
    return (
      [uri, origin, hostOf(origin)].some((name) => this.#exact.isAfter(name, generation)) ||
      groups.some((group) => this.#exact.isAfter(groupName(origin, group), generation)) ||
      this.#prefixes.isAnyAfter((prefix) => uri.startsWith(prefix), generation)
    );
  }
}

/** `//host` of `scheme://host:port`. */
const hostOf = (origin: string): string => origin.slice(origin.indexOf('//')).replace(/:\d+$/, '');
