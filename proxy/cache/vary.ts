/** The selecting header fields of a stored response: what its `Vary` nominated, and the values it was stored under. */
export interface SelectingFields {
  /** Lower-case names, sorted, without repetition. */
  readonly names: readonly string[];
  /** The normalised value of each in the request that was answered; null where the request had no such field. */
  readonly values: readonly (string | null)[];
}
