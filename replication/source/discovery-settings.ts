import { bytes, milliseconds, type Bytes, type Milliseconds } from '../../config/units.js';
import type { FrontierLimits } from './discovery-frontier.js';

/** How a walk behaves. */
export interface DiscoverySettings extends FrontierLimits {
  /** Most bytes that are received in all. */
  readonly received: Bytes;
  /** Most requests at once. */
  readonly atOnce: number;
  /** Time between the beginnings of two requests; longer where robots.txt says so (`Crawl-delay`, up to 30 s). */
  readonly pace: Milliseconds;
  /** For one request with what is read of its answer. */
  readonly patience: Milliseconds;
  /** How often something is asked for that fails, or is refused for the time being. */
  readonly attempts: number;
  /** Failures in a row after which the origin counts as away, and the walk ends. */
  readonly failuresInRow: number;
  /** In `robots.txt`, and with a version in `User-Agent`. */
  readonly robot: string;
}

export const usualSettings: DiscoverySettings = {
  documents: 10_000,
  depth: 16,
  alike: 1000,
  received: bytes(512 * 1024 * 1024),
  atOnce: 2,
  pace: milliseconds(250),
  patience: milliseconds(60_000),
  attempts: 2,
  failuresInRow: 16,
  robot: 'willis',
};
