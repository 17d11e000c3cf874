import { milliseconds, monotonicMs, type Milliseconds, type MonotonicMs } from '../../config/units.js';

/** Names in directories that are to be looked at; `all` of a directory, which is listed for it. */
export type LookWork = Map<string, Set<string> | 'all'>;

/** A directory of which more names than that are to be looked at is listed instead. */
const mostNames = 1000;

export function addLook(work: LookWork, directory: string, name: string | null): void {
  const names = work.get(directory);
  if (names === 'all') return;
  if (name === null || (names !== undefined && names.size >= mostNames)) work.set(directory, 'all');
  else if (names === undefined) work.set(directory, new Set([name]));
  else names.add(name);
}

/** Files that are to be looked at again, and when. */
export class LookSchedule {
  readonly #due = new Map<string, { readonly directory: string; readonly name: string; readonly at: MonotonicMs }>();

  in(wait: Milliseconds, directory: string, name: string, now: MonotonicMs): void {
    this.#due.set(directory + name, { directory, name, at: monotonicMs(now + wait) });
  }

  cancel(directory: string, name: string): void {
    this.#due.delete(directory + name);
  }

  /** Those whose time has come, which are then no longer scheduled. */
  take(now: MonotonicMs, into: LookWork): void {
    for (const [path, { directory, name, at }] of this.#due) {
      if (at > now) continue;
      this.#due.delete(path);
      addLook(into, directory, name);
    }
  }

  /** How long until the next; null if there is none. */
  soonest(now: MonotonicMs): Milliseconds | null {
    let soonest: number | null = null;
    for (const { at } of this.#due.values()) soonest = Math.min(soonest ?? at, at);
    return soonest === null ? null : milliseconds(Math.max(0, soonest - now));
  }
}
