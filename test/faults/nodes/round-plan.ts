import { Seeded } from '../seeded.js';

/** What kind of disk a node has. */
export type Disk = 'roomy' | 'tight' | 'small';

/** What happens to a node while it runs. */
export type Trouble = 'none' | 'read-only' | 'full' | 'descriptors' | 'second-process';

/** What is to happen in one round. */
export interface RoundPlan {
  readonly disk: Disk;
  /** Whether a store begins anew. */
  readonly isFirst: boolean;
  readonly damages: boolean;
  /** Killed before it can be ready, after so many milliseconds; null: later. */
  readonly killedEarly: number | null;
  readonly trouble: Trouble;
  /** How long clients ask, in milliseconds, before and after the trouble begins. */
  readonly asking: number;
  readonly isStopped: boolean;
  readonly workers: number;
  readonly memory: string;
  readonly seed: number;
}

const lifetime = 8;

/** The same for the same seed and round, however the rounds before went. */
export function planOf(seed: number, round: number): RoundPlan {
  const random = new Seeded(Math.imul(seed, 7919) + round);
  // the first numbers of near seeds are alike
  for (let i = 0; i < 4; i++) random.next();
  const isFirst = round % lifetime === 0;
  const disks: readonly Disk[] = ['roomy', 'small', 'tight', 'roomy'];
  const index = Math.floor(round / lifetime);
  const disk = disks[index % disks.length] ?? 'roomy';
  const troubles: readonly Trouble[] = [
    'read-only',
    'descriptors',
    'second-process',
    disk === 'small' ? 'full' : 'none',
  ];
  const isTroubled = disk === 'small' ? random.chance(0.5) : random.chance(0.25);
  return {
    disk,
    isFirst,
    damages: !isFirst && random.chance(0.3),
    killedEarly: random.chance(0.06) ? random.between(50, 500) : null,
    trouble: !isTroubled ? 'none' : disk === 'small' ? 'full' : random.pick(troubles),
    asking: random.between(50, 400),
    isStopped: random.chance(0.1),
    workers: random.pick([2, 6, 12]),
    memory: random.pick(['0', '256KiB', '16MiB']),
    seed: random.below(2 ** 31),
  };
}
