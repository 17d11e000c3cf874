import type { EpochMs } from '../../config/units.js';

/**
 * How much slower than usual a node is in each hour of the week (UTC), as the weeks before showed. An hour of which little
 * is known counts for little, and what was long ago for less.
 */
export class HourProfile {
  /** By hours since Thursday 0:00, the beginning of time in UTC: the mean of the logarithms, and of how many samples. */
  readonly #means = new Float32Array(hours);
  readonly #counts = new Float32Array(hours);
  readonly #weeks = new Uint16Array(hours);

  /** @param ratio of what was measured to what is usual */
  note(ratio: number, now: EpochMs): void {
    if (!(ratio > 0) || !Number.isFinite(ratio)) return;
    const { hour, week } = slotOf(now);
    if (this.#weeks[hour] !== week) {
      this.#counts[hour] = Math.min(this.#count(hour), heaviest) / 2;
      this.#weeks[hour] = week;
    }
    const count = this.#count(hour) + 1;
    const mean = this.#means[hour] ?? 0;
    this.#counts[hour] = count;
    this.#means[hour] = mean + (clamped(Math.log2(ratio)) - mean) / Math.min(count, heaviest);
  }

  /** 1 for as fast as usual. */
  factor(now: EpochMs): number {
    const { hour } = slotOf(now);
    const count = this.#count(hour);
    return count === 0 ? 1 : 2 ** ((this.#means[hour] ?? 0) * (count / (count + unsure)));
  }

  /** `[hour, hundredths of the logarithm, samples]` for those of which anything is known. */
  entries(): [hour: number, mean: number, count: number][] {
    const known: [number, number, number][] = [];
    for (let hour = 0; hour < hours; hour++) {
      const count = Math.round(this.#count(hour));
      if (count > 0) known.push([hour, Math.round((this.#means[hour] ?? 0) * 100), count]);
    }
    return known;
  }

  /** What `entries` gave. */
  static of(entries: readonly (readonly [hour: number, mean: number, count: number])[]): HourProfile {
    const profile = new HourProfile();
    for (const [hour, mean, count] of entries) {
      if (hour < 0 || hour >= hours) continue;
      profile.#means[hour] = clamped(mean / 100);
      profile.#counts[hour] = Math.min(Math.max(count, 0), heaviest);
    }
    return profile;
  }

  #count(hour: number): number {
    return this.#counts[hour] ?? 0;
  }
}

function slotOf(now: EpochMs): { readonly hour: number; readonly week: number } {
  const all = Math.max(0, Math.floor(now / 3_600_000));
  return { hour: all % hours, week: Math.floor(all / hours) % 65_536 };
}

const clamped = (logarithm: number): number => Math.min(4, Math.max(-4, logarithm));

const hours = 168;
/** As many samples as one hour can count for. */
const heaviest = 64;
/** So many samples are believed by half. */
const unsure = 4;
