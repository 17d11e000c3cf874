import type { CanonicalUri } from '../../wlis/canonical-uri.js';
import { looksEndless, shapeOf } from './uri-shape.js';

/** How far a walk goes. */
export interface FrontierLimits {
  /** Most documents that are asked for. */
  readonly documents: number;
  /** Most links from the start to a page; what belongs to a page is as deep as it is. */
  readonly depth: number;
  /** Most URIs that differ in numbers, or in what their query says, and nothing else. */
  readonly alike: number;
}

/** A page may lead on; a part belongs to one: images, scripts, styles. */
export type TargetKind = 'page' | 'part';

/** A URI that is to be asked for, or was. */
export interface Stop {
  readonly uri: CanonicalUri;
  readonly depth: number;
  readonly kind: TargetKind;
}

/** Why a URI is left out. `documents`: more than enough are known. */
export type LeftOut = 'too-deep' | 'alike' | 'long' | 'repeated' | 'documents';

/** Where a walk goes next: breadth first, each URI once. */
export class DiscoveryFrontier {
  readonly #limits: FrontierLimits;
  readonly #known = new Set<CanonicalUri>();
  readonly #alike = new Map<string, number>();
  /** Those of a depth, the ones that lead on before what belongs to them. */
  #queue: Stop[] = [];
  #next: Stop[] = [];
  #at = 0;

  constructor(limits: FrontierLimits) {
    this.#limits = limits;
  }

  /** How many are waiting. */
  get size(): number {
    return this.#queue.length - this.#at + this.#next.length;
  }

  /** How many were ever taken in. */
  get known(): number {
    return this.#known.size;
  }

  /** Takes a URI in. @returns `new`, `known`, or why not */
  offer(stop: Stop): 'new' | 'known' | LeftOut {
    const { uri, depth } = stop;
    if (this.#known.has(uri)) return 'known';
    const because = this.#reasonAgainst(uri, depth);
    if (because !== null) return because;
    this.#known.add(uri);
    this.#put(stop);
    return 'new';
  }

  /** One that was taken and could not be asked for; it comes behind the others of its depth. */
  putBack(stop: Stop): void {
    this.#known.add(stop.uri);
    this.#put(stop);
  }

  /** It was asked for by an earlier walk: it counts, and is not asked for again. */
  remember(uri: CanonicalUri): void {
    this.#known.add(uri);
    const shape = shapeOf(uri);
    this.#alike.set(shape, (this.#alike.get(shape) ?? 0) + 1);
  }

  take(): Stop | null {
    if (this.#at === this.#queue.length) {
      if (this.#next.length === 0) return null;
      const shallowest = this.#next.reduce((least, { depth }) => Math.min(least, depth), Infinity);
      this.#queue = this.#next.filter(({ depth }) => depth === shallowest);
      this.#next = this.#next.filter(({ depth }) => depth !== shallowest);
      this.#at = 0;
    }
    return this.#queue[this.#at++] ?? null;
  }

  /** All that wait, in their order. */
  waiting(): readonly Stop[] {
    return [...this.#queue.slice(this.#at), ...this.#next.toSorted((a, b) => a.depth - b.depth)];
  }

  #put(stop: Stop): void {
    const current = this.#queue[this.#at]?.depth;
    if (current === undefined || stop.depth > current) this.#next.push(stop);
    else this.#queue.push(stop);
  }

  #reasonAgainst(uri: CanonicalUri, depth: number): LeftOut | null {
    const { documents, depth: deepest, alike } = this.#limits;
    if (depth > deepest) return 'too-deep';
    if (this.#known.size >= documents) return 'documents';
    const endless = looksEndless(uri);
    if (endless !== null) return endless;
    const shape = shapeOf(uri);
    const count = this.#alike.get(shape) ?? 0;
    if (count >= alike) return 'alike';
    this.#alike.set(shape, count + 1);
    return null;
  }
}
