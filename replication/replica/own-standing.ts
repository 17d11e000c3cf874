import { elapsedMonotonic, milliseconds, type MonotonicMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { compareVersions, type Version } from '../../wlis/trust/epoch.js';
import type { NamespaceReport } from '../namespace-report.js';
import type { Puller } from '../pull/puller.js';
import type { Progress } from '../pull/wanted-contents.js';
import type { Holdings } from './holdings-count.js';
import type { Source } from './replica-parts.js';

/** How a replica fares. */
export interface OwnStanding extends Holdings {
  readonly state: NamespaceReport['state'];
  readonly reason: string | null;
  readonly known: Version | null;
  readonly lag: NamespaceReport['lag'];
  readonly source: Source | null;
  /** Changes that cannot be shown yet. */
  readonly left: number;
  readonly changes: number;
  readonly progress: Progress;
  readonly counters: Puller['counters'];
}

/** What is held, the newest that was heard of, and who answers. */
export interface HowFar {
  readonly held: Version | null;
  readonly known: Version | null;
  readonly source: Source | null;
  /** Whether anything is known of what there is. */
  readonly hasList: boolean;
}

export function stateOf({ held, known, source, hasList }: HowFar): NamespaceReport['state'] {
  if (!hasList) return 'joining';
  if (source === null) return 'cut-off';
  return isBehind(held, known) ? 'behind' : 'in-step';
}

const isBehind = (held: Version | null, known: Version | null): boolean =>
  known !== null && (held === null || compareVersions(held, known) < 0);

/** How far a replica is behind what it has heard of, and for how long. */
export class OwnLag {
  readonly #clock: Clock;
  #since: MonotonicMs | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One of both may be another one now. */
  note(held: Version | null, known: Version | null): void {
    if (!isBehind(held, known)) this.#since = null;
    else this.#since ??= this.#clock.monotonic();
  }

  /** Numbers, at least one of another epoch; and the time since the first of them was heard of. */
  read(held: Version | null, known: Version | null): NamespaceReport['lag'] {
    const numbers = (known?.seq ?? 0) - (held?.seq ?? 0);
    const changes = held !== null && isBehind(held, known) ? Math.max(1, numbers) : numbers;
    const time = this.#since === null ? 0 : elapsedMonotonic(this.#since, this.#clock.monotonic());
    return { changes, time: milliseconds(time) };
  }
}
