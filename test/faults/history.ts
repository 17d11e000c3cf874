import type { CacheKey } from '../../proxy/cache/cache-key.js';
import { isPurgedBy } from '../../proxy/cache/purge.js';
import type { Entry, Held, Marks, Stated } from './ledger.js';

/** An operation that stores or freshens. The numbers are places in the ledger. */
interface Storing extends Stated {
  readonly of: number | null;
  readonly begun: number;
  ended: number;
  answered: number;
  kept: boolean | null;
  id: string;
  held: Held;
  /** As an inspection found it. */
  marks: Marks | null;
}

/** An invalidation, purge or removal. */
interface Taking {
  readonly entry: Extract<Entry, { t: 'remove' | 'invalidate' | 'group' | 'purge' }>;
  readonly begun: number;
  done: number;
}

/** What a store gives under a key, reduced to what can be judged. */
export interface Seen extends Stated, Marks {
  readonly id: string;
  readonly held: Held;
  readonly complete: boolean;
}

const never = Infinity;

/**
 * What a store may give, by what it was asked to do and what it has acknowledged. Operations overlap: whatever order they
 * may have had is allowed, and nothing else.
 */
export class History {
  #line = 0;
  readonly #storing = new Map<number, Storing>();
  readonly #bySlot = new Map<string, Storing[]>();
  readonly #taking = new Map<number, Taking>();
  #unwell = never;
  #closed = never;

  constructor(entries: readonly Entry[] = []) {
    for (const entry of entries) this.add(entry);
  }

  /** The place where the next entry goes. */
  get now(): number {
    return this.#line;
  }

  get slots(): Iterable<string> {
    return this.#bySlot.keys();
  }

  add(entry: Entry): void {
    const at = this.#line++;
    switch (entry.t) {
      case 'begin':
        this.#store({ ...entry, of: entry.of ?? null, ...open, begun: at });
        break;
      case 'found': {
        const { invalidated, purged } = entry;
        this.#store({
          ...entry,
          of: null,
          begun: at,
          ended: at,
          answered: at,
          kept: true,
          marks: { invalidated, purged },
        });
        break;
      }
      case 'end':
        this.#of(entry.op).ended = at;
        break;
      case 'kept':
        Object.assign(this.#of(entry.op), { answered: at, kept: true, id: entry.id, held: entry.held });
        break;
      case 'refused':
        Object.assign(this.#of(entry.op), { answered: at, kept: false });
        break;
      case 'done':
        this.#done(entry.n, at);
        break;
      case 'closed':
        this.#closed = this.#unwell = Math.min(this.#unwell, at);
        break;
      case 'unwell':
        this.#unwell = Math.min(this.#unwell, at);
        break;
      case 'remove':
      case 'invalidate':
      case 'group':
      case 'purge':
        this.#taking.set(entry.n, { entry, begun: at, done: never });
    }
  }

  /** What is wrong with something that was given to who began to ask at that place; null: nothing. */
  wrong(seen: Seen, asked: number): string | null {
    const one = this.#storing.get(seen.op);
    if (one === undefined) return 'nobody stored it, or it was gone already';
    if (one.ended === never) return 'it was not yet complete when it was seen';
    if (one.kept === false && one.answered < Math.min(asked, this.#unwell)) return 'it had been refused';
    if (!sameStatement(one, seen)) return `it is not what was stored: ${JSON.stringify(one)}`;
    if (one.kept === true && !sameHeld(one.held, seen.held)) return `it had ${JSON.stringify(one.held)}`;
    const later = (this.#bySlot.get(slotOf(seen)) ?? []).find(
      (other) => other.kept === true && other.answered < asked && other.ended > one.answered,
    );
    if (later !== undefined) return `operation ${later.op} had taken its place`;
    return this.#wrongMarks(one, seen, asked);
  }

  /** What must be in a slot that is found empty, and what was done there; null: nothing. */
  lost(slot: string): string | null {
    const all = this.#bySlot.get(slot) ?? [];
    for (const one of all) {
      if (one.kept !== true) continue;
      const removers = [...this.#taking.values()].filter(
        (taking) => taking.done > one.begun && all.some((other) => forgets(taking, other)),
      );
      if (removers.length === 0) return JSON.stringify(all);
    }
    return null;
  }

  #wrongMarks(one: Storing, seen: Seen, asked: number): string | null {
    if (one.marks?.invalidated === true && !seen.invalidated) return 'it had been invalidated';
    if (one.marks?.purged === true && !seen.purged && !seen.invalidated) return 'it had been purged softly';
    let mayBeInvalidated = one.marks?.invalidated === true;
    for (const taking of this.#taking.values()) {
      const { entry } = taking;
      const isDue = taking.done < asked && taking.begun > one.begun;
      if (invalidates(taking, one)) {
        if (isDue && !seen.invalidated) return `it had been invalidated by ${JSON.stringify(entry)}`;
        if (taking.done > one.begun) mayBeInvalidated = true;
      }
      if (isDue && purgesSoftly(taking, one) && !seen.purged && !seen.invalidated)
        return `it had been purged softly by ${JSON.stringify(entry)}: ${taking.begun} to ${taking.done}, it: ${JSON.stringify(one)}, asked ${asked}`;
      const isForgotten = taking.done < asked && taking.begun > this.#origin(one).begun && forgets(taking, one);
      const isIt = entry.t === 'purge' || (entry.t === 'remove' && entry.id === seen.id);
      if (isForgotten && isIt) return `it had been forgotten by ${JSON.stringify(entry)}`;
    }
    return seen.invalidated && !mayBeInvalidated ? 'nobody had invalidated it' : null;
  }

  /** What stored the bytes of a response that was freshened since. */
  #origin(one: Storing): Storing {
    let origin = one;
    while (origin.of !== null) origin = this.#of(origin.of);
    return origin;
  }

  #done(n: number, at: number): void {
    const taking = this.#taking.get(n);
    if (taking !== undefined && taking.begun < this.#closed) taking.done = at;
  }

  #of(op: number): Storing {
    const one = this.#storing.get(op);
    if (one === undefined) throw new RangeError(`no operation ${op}`);
    return one;
  }

  #store(one: Storing): void {
    this.#storing.set(one.op, one);
    const slot = slotOf(one);
    this.#bySlot.set(slot, [...(this.#bySlot.get(slot) ?? []), one]);
  }
}

const open = { ended: never, answered: never, kept: null, id: '', held: [], marks: null };

export const slotOf = ({ key, variant }: Pick<Stated, 'key' | 'variant'>): string => `${variant} ${key}`;

const sameStatement = (one: Stated, other: Stated): boolean =>
  one.key === other.key &&
  one.variant === other.variant &&
  one.version === other.version &&
  one.length === other.length;

const sameHeld = (one: Held, other: Held): boolean =>
  one.length === other.length && one.every(({ from, to }, i) => other[i]?.from === from && other[i].to === to);

function invalidates({ entry }: Taking, { key, groups }: Stated): boolean {
  if (entry.t === 'invalidate') return entry.key === key;
  return entry.t === 'group' && groups.includes(entry.group) && key.startsWith(`${entry.origin}/`);
}

const purgesSoftly = ({ entry }: Taking, { key, groups }: Stated): boolean =>
  entry.t === 'purge' && entry.mode === 'soft' && isPurgedBy(entry.selector, key as CacheKey, groups);

function forgets({ entry }: Taking, one: Stated): boolean {
  if (entry.t === 'remove') return slotOf(entry) === slotOf(one);
  return entry.t === 'purge' && entry.mode === 'hard' && isPurgedBy(entry.selector, one.key as CacheKey, one.groups);
}
