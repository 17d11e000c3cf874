import type { Bytes } from '../../config/units.js';
import type { CanonicalUri } from '../../wlis/canonical-uri.js';
import type { LeftOut } from './discovery-frontier.js';

/** What a walk comes upon, each URI once. */
export type DiscoveryEvent =
  /** A document; `isUnchanged` if it is what an earlier walk found (304). */
  | { readonly kind: 'found'; readonly document: FoundDocument; readonly isUnchanged: boolean }
  /** It redirects; a target within the namespace is asked for too. */
  | { readonly kind: 'redirect'; readonly uri: CanonicalUri; readonly status: number; readonly location: string | null }
  /** By its own word only another name of a document. */
  | { readonly kind: 'alias'; readonly uri: CanonicalUri; readonly of: CanonicalUri }
  | { readonly kind: 'failed'; readonly uri: CanonicalUri; readonly status: number | null; readonly because: string }
  /** Robots are not to ask for it. */
  | { readonly kind: 'forbidden'; readonly uri: CanonicalUri }
  /** The last one. What is left can be done by another walk from this one's state. */
  | { readonly kind: 'end'; readonly because: WalkEnd; readonly progress: DiscoveryProgress };

/** `complete`: nothing is left; `bytes`: too many were received; `away`: the origin does not answer any more. */
export type WalkEnd = 'complete' | 'bytes' | 'away';

export interface FoundDocument {
  readonly uri: CanonicalUri;
  readonly depth: number;
  /** Media type, in lower case and without parameters; null if it says none. */
  readonly type: string | null;
  /** Whether it does not want to be found by its words. */
  readonly noindex: boolean;
}

export interface DiscoveryProgress {
  readonly found: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly waiting: number;
  /** URIs of the namespace that were seen and are not asked for, by reason; one may be counted several times. */
  readonly leftOut: Readonly<Partial<Record<LeftOut | 'forbidden', number>>>;
  readonly received: Bytes;
}
