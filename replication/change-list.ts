import type { EpochMs } from '../config/units.js';

/** One change of a namespace. `document` null: there is none any more. */
export interface Change<T> {
  readonly seq: number;
  /** Canonical path below the namespace. */
  readonly path: string;
  /** When it was recorded. */
  readonly at: EpochMs;
  readonly document: T | null;
  /**
   * Whoever makes this change visible makes all others up to this number visible in the same moment. The change's own number,
   * unless it belongs to a set.
   */
  readonly together: number;
}

/** A change that has no number yet. */
export interface Edit<T> {
  readonly path: string;
  readonly document: T | null;
}

/**
 * `changes`: in their order, and complete up to the number `upTo`. `forgotten`: so far back the list does not go. `ahead`: of
 * such a number nothing is known here.
 */
export type Since<T> =
  | { readonly kind: 'changes'; readonly changes: readonly Change<T>[]; readonly upTo: number }
  | { readonly kind: 'forgotten' | 'ahead' };

export interface ChangeListState<T> {
  readonly last: number;
  /** Removals up to this number may have been forgotten. */
  readonly floor: number;
  /** In the order of their numbers. */
  readonly changes: Iterable<Change<T>>;
}

/** Changes that are visible together, and what has taken their place since. */
interface Group {
  until: number;
  joined: Group | null;
}

/**
 * The numbered changes of a namespace in one epoch. A change that a later one of the same document has superseded is left
 * out; what is left of a set is then visible only together with whatever took the place of the rest.
 *
 * Numbers are spent once and have no gaps when they are given: `numbered`, then make it durable, then `apply`.
 */
export class ChangeList<T> {
  #last: number;
  #floor: number;
  #removals = 0;
  readonly #latest = new Map<string, Entry<T>>();
  /** Ascending; those that are not the latest of their path are dead. */
  #order: Entry<T>[] = [];
  /** By what the group had as its end when it came in, while a list is read. */
  readonly #groups = new Map<number, Group>();

  constructor(state: ChangeListState<T> = { last: 0, floor: 0, changes: [] }) {
    this.#last = 0;
    this.#floor = state.floor;
    this.apply(state.changes);
    if (state.last < this.#last)
      throw new RangeError(`change ${this.#last} lies behind the end of the list, ${state.last}`);
    this.#last = state.last;
  }

  /** The number of the last change; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  get floor(): number {
    return this.#floor;
  }

  /** How many paths have a change, and how many of these are removals. */
  get counts(): { readonly documents: number; readonly removals: number } {
    return { documents: this.#latest.size - this.#removals, removals: this.#removals };
  }

  latest(path: string): Change<T> | undefined {
    return this.#latest.get(path);
  }

  /** The latest change of every path, in the order of their numbers. */
  *changes(): Generator<Change<T>> {
    for (const entry of this.#order) if (this.#isLatest(entry)) yield entry;
  }

  /** Gives the next numbers to edits. Nothing is changed by it. @param isSet they are visible together or not at all */
  numbered(edits: readonly Edit<T>[], at: EpochMs, isSet: boolean): readonly Change<T>[] {
    const end = this.#last + edits.length;
    return edits.map(({ path, document }, index) => {
      const seq = this.#last + 1 + index;
      return { seq, path, at, document, together: isSet ? end : seq };
    });
  }

  /** Adds changes, whose numbers ascend. @throws RangeError */
  apply(changes: Iterable<Change<T>>): void {
    this.#groups.clear();
    for (const change of changes) this.#add(change);
    this.#groups.clear();
    if (this.#order.length > 2 * this.#latest.size + 1024)
      this.#order = this.#order.filter((one) => this.#isLatest(one));
  }

  /**
   * What came after a number. @param most so many changes at most, but never only a part of what is visible together
   */
  since(seq: number, most: number): Since<T> {
    if (seq > this.#last) return { kind: 'ahead' };
    if (seq < this.#floor) return { kind: 'forgotten' };
    const changes: Change<T>[] = [];
    let needed = 0;
    for (let at = this.#firstAfter(seq); at < this.#order.length; at++) {
      const entry = this.#order[at] as Entry<T>;
      if (!this.#isLatest(entry)) continue;
      if (changes.length >= most && entry.seq > needed) return { kind: 'changes', changes, upTo: entry.seq - 1 };
      needed = Math.max(needed, entry.together);
      changes.push(entry);
    }
    return { kind: 'changes', changes, upTo: this.#last };
  }

  /** Forgets removals from before that time. Who is further back than the last of them has to compare. */
  forgetRemovals(before: EpochMs): number {
    let count = 0;
    this.#order = this.#order.filter((entry) => {
      if (!this.#isLatest(entry)) return false;
      if (entry.document !== null || entry.at >= before) return true;
      this.#latest.delete(entry.path);
      this.#floor = Math.max(this.#floor, entry.seq);
      count++;
      return false;
    });
    this.#removals -= count;
    return count;
  }

  #add(change: Change<T>): void {
    if (change.seq <= this.#last || change.together < change.seq) {
      throw new RangeError(
        `change ${change.seq}, together with ${change.together}, cannot follow change ${this.#last}`,
      );
    }
    const before = this.#latest.get(change.path);
    const group = joined(before?.group ?? null, this.#groupOf(change), change.seq);
    // one that belongs to no group never changes, so that lists share it
    const entry = group === null && isGroupless(change) ? change : new Entry(change, group);
    this.#removals += (change.document === null ? 1 : 0) - (before?.document === null ? 1 : 0);
    this.#latest.set(change.path, entry);
    this.#order.push(entry);
    this.#last = change.seq;
  }

  /** Changes that end together are one group. */
  #groupOf({ seq, together }: Change<T>): Group | null {
    const known = this.#groups.get(together);
    if (known !== undefined || together === seq) return known ?? null;
    const group: Group = { until: together, joined: null };
    this.#groups.set(together, group);
    return group;
  }

  #isLatest(entry: Entry<T>): boolean {
    return this.#latest.get(entry.path) === entry;
  }

  #firstAfter(seq: number): number {
    let [low, high] = [0, this.#order.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#order[middle] as Entry<T>).seq <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Entries are never changed, but the group that they belong to may be. */
class Entry<T> implements Change<T> {
  readonly seq: number;
  readonly path: string;
  readonly at: EpochMs;
  readonly document: T | null;
  readonly group: Group | null;

  constructor({ seq, path, at, document }: Change<T>, group: Group | null) {
    this.seq = seq;
    this.path = path;
    this.at = at;
    this.document = document;
    this.group = group;
  }

  get together(): number {
    return this.group === null ? this.seq : Math.max(this.seq, rootOf(this.group).until);
  }
}

const isGroupless = <T>(change: Change<T>): change is Entry<T> => change instanceof Entry && change.group === null;

/**
 * The group of a change that takes the place of one of the group `before`: what is left of that goes with it.
 * @param own the set in which it comes
 */
function joined(before: Group | null, own: Group | null, seq: number): Group | null {
  if (before === null) return own;
  const root = rootOf(before);
  if (own === null) {
    root.until = Math.max(root.until, seq);
    return root;
  }
  const other = rootOf(own);
  if (other === root) return own;
  root.joined = other;
  other.until = Math.max(other.until, root.until);
  return own;
}

function rootOf(group: Group): Group {
  let root = group;
  while (root.joined !== null) root = root.joined;
  // the way there is shorter the next time
  for (let one = group; one.joined !== null && one.joined !== root;) {
    const next: Group = one.joined;
    one.joined = root;
    one = next;
  }
  return root;
}
