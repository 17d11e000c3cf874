import type { CanonicalUri } from '../canonical-uri.js';
import type { SignedGroup } from '../trust/group.js';

/** The groups that a node knows, be it by holding the namespaces itself or by having learned of them. */
export interface StatedGroups {
  /** Of the namespace that a URI belongs to; null if none is known. */
  of(uri: CanonicalUri): SignedGroup | null;
}
