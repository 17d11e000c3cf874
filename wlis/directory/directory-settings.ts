import type { Milliseconds } from '../../config/units.js';
import type { KeyId } from '../trust/public-key.js';
import type { BookSettings } from './namespace-book.js';

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
