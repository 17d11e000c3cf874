import type { Milliseconds } from '../../config/units.js';
import type { KeyId } from '../trust/public-key.js';

/** What the operator says of whom to believe, and of how much to remember. */
export interface BookSettings {
  /** Namespaces that are remembered. */
  readonly most: number;
  /** Root keys that the operator named, by origin. */
  readonly roots: ReadonlyMap<string, KeyId>;
  readonly firstUse: boolean;
}

/** What the configuration says of the directory of a node. */
export interface DirectorySettings extends BookSettings {
  /** Nodes that are asked for what is not known. */
  readonly peers: readonly string[];
  /** How often each of them is asked for what it has learned. */
  readonly exchangeEvery: Milliseconds;
  /** Whose statements of names are believed. */
  readonly namingKeys: readonly KeyId[];
  /** Whether this node is a directory for others: it tells them what it knows, and renews what nobody has asked it for. */
  readonly isDirectory: boolean;
}
