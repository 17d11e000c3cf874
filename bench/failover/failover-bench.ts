/** What all measurements of a client-side proxy in one run have in common. */
export interface FailoverBench {
  readonly options: FailoverOptions;
  readonly signal: AbortSignal;
  /** Tells the person who waits. */
  readonly say: (text: string) => void;
}

export interface FailoverOptions {
  readonly parts: readonly string[];
  /** Of one measurement. */
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
  /** Whether docs/performance.md gets the results. */
  readonly write: boolean;
}
