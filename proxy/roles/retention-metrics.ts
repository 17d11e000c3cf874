import { bytes } from '../../config/units.js';
import type { Registry, Sample } from '../base/metrics.js';
import { ordinary, type ClassUsage } from '../cache/retention.js';

/** What the store of record has of each class of its retention. */
export interface Retained {
  readonly store: string;
  readonly classes: readonly ClassUsage[];
}

/** So many rules have samples of their own; the rest come together. */
const mostRules = 500;

/** Adds what there is of each rule in the store of record; what is under no rule has an empty one. */
export function describeRetention(registry: Registry, retained: () => Retained): void {
  const families: readonly [
    type: 'gauge' | 'counter',
    name: string,
    help: string,
    value: (of: ClassUsage) => number | null,
  ][] = [
    ['gauge', 'willis_store_rule_bytes', 'Stored responses of each rule: bodies, fields and keys.', (of) => of.bytes],
    ['gauge', 'willis_store_rule_limit_bytes', 'Their share, where they have one.', ({ maxBytes }) => maxBytes],
    ['gauge', 'willis_store_rule_responses', 'Stored responses of each rule.', ({ responses }) => responses],
    ['gauge', 'willis_store_rule_pinned', 'Whether they are pinned.', ({ pinned }) => Number(pinned)],
    ['counter', 'willis_store_rule_evictions_total', 'Those evicted to make room.', ({ evicted }) => evicted],
    [
      ...(['counter', 'willis_store_rule_refused_total'] as const),
      'Responses not stored because pinned ones have the room.',
      ({ refused }) => refused,
    ],
  ];
  for (const [type, name, help, value] of families) {
    const read = (): Sample[] => {
      const { store, classes } = retained();
      return bounded(classes).flatMap((one) => {
        const now = value(one);
        return now === null ? [] : [{ labels: [store, one.name], value: now }];
      });
    };
    registry.add({ type, name, help, labels: ['store', 'rule'], read });
  }
}

function bounded(classes: readonly ClassUsage[]): readonly ClassUsage[] {
  if (classes.length <= mostRules) return classes;
  const rest = classes.slice(mostRules);
  const sum = (value: (of: ClassUsage) => number): number => rest.reduce((total, one) => total + value(one), 0);
  return [
    ...classes.slice(0, mostRules),
    {
      ...{ ...ordinary, name: 'other', bytes: bytes(sum((of) => of.bytes)), responses: sum((of) => of.responses) },
      ...{ evicted: sum(({ evicted }) => evicted), refused: sum(({ refused }) => refused) },
    },
  ];
}
