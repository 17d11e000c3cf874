import type { EpochMs } from '../../config/units.js';
import { Histogram } from './histogram.js';
import type { Labelled, LabelValues } from './labelled.js';

/** A number that only grows. */
export class Counter {
  value = 0;

  add(by = 1): void {
    this.value += by;
  }
}

interface Described {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** In Prometheus' form: base units, `_total` at the end of a counter's. */
  readonly name: string;
  readonly help: string;
}

/** What is measured under one name. */
export interface Family extends Described {
  /** Names of the labels of its samples. */
  readonly labels: readonly string[];
  /** Called at each look. What is not known is left out. */
  readonly read: () => Iterable<Sample>;
}

export interface Sample {
  /** One for each name. */
  readonly labels: LabelValues;
  readonly value: number | Histogram;
}

/** A family as it was at one moment. */
export interface FamilySnapshot {
  readonly name: string;
  readonly help: string;
  readonly type: Family['type'];
  readonly samples: readonly SampleSnapshot[];
}

export interface SampleSnapshot {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | HistogramSnapshot;
}

export interface HistogramSnapshot {
  readonly count: number;
  /** In seconds. */
  readonly sum: number;
  /** How many observations were not beyond each bound. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
}

/** What a node tells of its metrics. */
export interface MetricsView {
  /** In the form of `metricsText`. */
  text(): string;
  snapshot(): Snapshot;
}

/** From 0 to 1. */
export type Ratio = number;

/** All that a node measured at one moment. */
export interface Snapshot {
  readonly time: EpochMs;
  /** The share of hits among the answers for which the cache was asked; null while there are none. */
  readonly hitRatio: { readonly requests: Ratio | null; readonly bytes: Ratio | null };
  readonly families: readonly FamilySnapshot[];
}

/** The families that a node measures. A counter costs an addition; everything else is done when somebody looks. */
export class Registry {
  readonly #families = new Map<string, Family>();

  /** @throws Error for a name that is taken or malformed */
  add(family: Family): void {
    const { name, type, labels } = family;
    if (!/^[a-z][a-z0-9_]*$/.test(name) || !labels.every((label) => /^[a-z][a-z0-9_]*$/.test(label))) {
      throw new Error(`malformed name of a metric or of its labels: ${name}`);
    }
    if ((type === 'counter') !== name.endsWith('_total')) throw new Error(`${name} is no name of a ${type}`);
    if (this.#families.has(name)) throw new Error(`there is a metric ${name} already`);
    this.#families.set(name, family);
  }

  /** A counter without labels. */
  counter(name: string, help: string): Counter {
    const counter = new Counter();
    this.read({ type: 'counter', name, help, value: () => counter.value });
    return counter;
  }

  /** One number, read at each look; null: it is not known. */
  read(one: Described & { readonly value: () => number | Histogram | null }): void {
    const { type, name, help, value } = one;
    const read = (): Sample[] => {
      const now = value();
      return now === null ? [] : [{ labels: [], value: now }];
    };
    this.add({ type, name, help, labels: [], read });
  }

  /** A number for each set of labels, read at each look; null: it is not known. */
  readEach<T extends object>(
    each: Described & { readonly of: Labelled<T>; readonly value: (one: T) => number | Histogram | null },
  ): void {
    const { type, name, help, of, value } = each;
    const read = function* (): Iterable<Sample> {
      for (const [labels, one] of of.entries()) {
        const now = value(one);
        if (now !== null) yield { labels, value: now };
      }
    };
    this.add({ type, name, help, labels: of.names, read });
  }

  snapshot(): FamilySnapshot[] {
    return [...this.#families.values()].map(({ name, help, type, labels, read }) => ({
      name,
      help,
      type,
      samples: [...read()].map((sample) => snapshotOf(labels, sample)),
    }));
  }
}

function snapshotOf(names: readonly string[], { labels, value }: Sample): SampleSnapshot {
  const named = Object.fromEntries(names.map((name, i) => [name, String(labels[i])]));
  if (!(value instanceof Histogram)) return { labels: named, value };
  const cumulative = value.cumulative();
  const buckets = value.bounds.map((le, i) => ({ le, count: cumulative[i] ?? 0 }));
  return { labels: named, value: { count: value.count, sum: value.sum, buckets } };
}
