/**
 * Units as types. No exported signature in this program has a bare `number` for a time or a size; these are the brands
 * and the only conversions between them.
 */
declare const unit: unique symbol;
type Branded<Name extends string> = number & { readonly [unit]: Name };

/** A duration in whole or fractional seconds, as HTTP's delta-seconds count. */
export type Seconds = Branded<'s'>;
/** A duration in milliseconds. */
export type Milliseconds = Branded<'ms'>;
/** Wall-clock time: milliseconds since 1970-01-01T00:00:00Z. May step. */
export type EpochMs = Branded<'epoch-ms'>;
/** A reading of a clock that never steps and starts anywhere; never mixed with `EpochMs`. */
export type MonotonicMs = Branded<'monotonic-ms'>;
/** A count of bytes. */
export type Bytes = Branded<'bytes'>;

export const seconds = (n: number): Seconds => n as Seconds;
export const milliseconds = (n: number): Milliseconds => n as Milliseconds;
export const epochMs = (n: number): EpochMs => n as EpochMs;
export const monotonicMs = (n: number): MonotonicMs => n as MonotonicMs;
export const bytes = (n: number): Bytes => n as Bytes;

export const toSeconds = (duration: Milliseconds): Seconds => seconds(duration / 1000);

/** `to` − `from`; negative when `to` is the earlier one. */
export const elapsed = (from: EpochMs, to: EpochMs): Milliseconds => milliseconds(to - from);
export const elapsedMonotonic = (from: MonotonicMs, to: MonotonicMs): Milliseconds => milliseconds(to - from);
