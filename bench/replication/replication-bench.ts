/** What all measurements of replication in one run have in common. */
export interface ReplicationBench {
  readonly options: ReplicationOptions;
  readonly signal: AbortSignal;
  /** Tells the person who waits. */
  readonly say: (text: string) => void;
}

export interface ReplicationOptions {
  readonly parts: readonly string[];
  /** Of one measurement of hits. */
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
  /** How many are made, one after the other. */
  readonly edits: number;
  readonly replicas: number;
  /** Whether docs/performance.md gets the results. */
  readonly write: boolean;
}
