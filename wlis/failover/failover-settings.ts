import type { Milliseconds } from '../../config/units.js';

/** What the operator says of it (`clientSide`). */
export interface FailoverSettings {
  /** Most nodes that are tried for one request before the primary. */
  readonly attempts: number;
  /** How long a node may be silent, or make hardly any progress. */
  readonly patience: Milliseconds;
  readonly hedge: {
    readonly enabled: boolean;
    /** Share of those before that were answered by then, from 0 to 1. */
    readonly after: number;
    /** Most requests that may be sent twice, as a share of all. */
    readonly budget: number;
  };
}
