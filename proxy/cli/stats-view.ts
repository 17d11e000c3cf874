import { seconds, type Seconds } from '../../config/units.js';
import type { FamilySnapshot, HistogramSnapshot, SampleSnapshot, Snapshot } from '../base/metrics.js';

/** What `GET /api/stats` gives. */
export interface Stats extends Snapshot {
  readonly node: { readonly name: string; readonly phase: string };
}

/**
 * The numbers of a node by the names of its metrics: those of one moment, or with `before` what has happened since then.
 * What is not known is null.
 */
export class StatsView {
  readonly #families: ReadonlyMap<string, FamilySnapshot>;
  readonly #before: ReadonlyMap<string, FamilySnapshot>;
  /** The time that counters cover: since the process began, or since `before`; null if it is not known. */
  readonly covered: Seconds | null;

  constructor(
    readonly stats: Stats,
    before: Stats | null = null,
  ) {
    this.#families = byName(stats);
    this.#before = before === null ? new Map<string, FamilySnapshot>() : byName(before);
    const start = before === null ? this.gauge('process_start_time_seconds') : before.time / 1000;
    this.covered = start === null ? null : seconds(Math.max(stats.time / 1000 - start, 0.001));
  }

  /** The sum of a gauge over the samples with those labels. */
  gauge(name: string, labels: Labels = {}): number | null {
    const samples = matching(this.#families, name, labels);
    return samples.length === 0 ? null : total(samples);
  }

  /** How much a counter has grown in the time covered. */
  count(name: string, labels: Labels = {}): number | null {
    const samples = matching(this.#families, name, labels);
    if (samples.length === 0) return null;
    const now = total(samples);
    const grown = now - total(matching(this.#before, name, labels));
    // the node has begun anew meanwhile
    return grown < 0 ? now : grown;
  }

  /** The values of a label, and how much a counter has grown for each. */
  countBy(name: string, label: string): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { labels } of matching(this.#families, name, {})) {
      const value = labels[label] ?? '';
      if (!counts.has(value)) counts.set(value, this.count(name, { [label]: value }) ?? 0);
    }
    return counts;
  }

  /** The labels of each sample of a family, in their order. */
  labels(name: string): readonly Labels[] {
    return (this.#families.get(name)?.samples ?? []).map(({ labels }) => labels);
  }

  /** The time within which a share of the observations lay, interpolated within its bucket; null if there were none. */
  quantile(name: string, share: number, labels: Labels = {}): Seconds | null {
    const now = matching(this.#families, name, labels).flatMap(histogramOf);
    const before = matching(this.#before, name, labels).flatMap(histogramOf);
    const count = sum(now, ({ count: n }) => n) - sum(before, ({ count: n }) => n);
    const wanted = count * share;
    if (count <= 0) return null;
    let below = { le: 0, reached: 0 };
    for (const { le } of now[0]?.buckets ?? []) {
      const reached = sum(now, (one) => upTo(one, le)) - sum(before, (one) => upTo(one, le));
      if (reached >= wanted && reached > below.reached) {
        const within = (wanted - below.reached) / (reached - below.reached);
        return seconds(below.le + (le - below.le) * within);
      }
      below = { le, reached };
    }
    return seconds(below.le);
  }
}

export type Labels = Readonly<Record<string, string>>;

const byName = ({ families }: Stats): Map<string, FamilySnapshot> =>
  new Map(families.map((family) => [family.name, family]));

function matching(families: ReadonlyMap<string, FamilySnapshot>, name: string, wanted: Labels): SampleSnapshot[] {
  const samples = families.get(name)?.samples ?? [];
  const conditions = Object.entries(wanted);
  return samples.filter(({ labels }) => conditions.every(([label, value]) => labels[label] === value));
}

const total = (samples: readonly SampleSnapshot[]): number =>
  sum(samples, ({ value }) => (typeof value === 'number' ? value : value.count));

const histogramOf = ({ value }: SampleSnapshot): HistogramSnapshot[] => (typeof value === 'number' ? [] : [value]);

const upTo = ({ buckets }: HistogramSnapshot, bound: number): number =>
  buckets.find(({ le }) => le === bound)?.count ?? 0;

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  let result = 0;
  for (const item of items) result += value(item);
  return result;
}
