import type { KeyId } from '../../wlis/trust/public-key.js';
import type { Subset } from '../../wlis/trust/subset.js';
import { covers } from './subset-cover.js';

/** A replica that is to have a place in the tree. */
export interface TreeMember {
  readonly id: KeyId;
  /** Whether others can call it. */
  readonly isReachable: boolean;
  /** Null if it holds all. */
  readonly subset: Subset | null;
  /** When it pulls contents: at once, or in windows of its own. */
  readonly update: 'immediately' | 'scheduled';
  /** Under whom it was so far: null for the primary, undefined for one that is new. */
  readonly parent: KeyId | null | undefined;
}

export interface TreeLimits {
  /** How many children a node is given as long as there are others that can take them. */
  readonly fanOut: number;
  /** How many steps it is from the primary to a replica at most. */
  readonly deepest: number;
}

/** A place in the tree. */
export interface TreePlace {
  /** Null for the primary. */
  readonly parent: KeyId | null;
  /** Steps to the primary: 1 below it. */
  readonly depth: number;
}

/**
 * Gives each replica its parent (protocol decision 22): one that others can call, that pulls at once, and whose subset has all
 * that the child is to hold. Windows of two replicas cannot be compared, so that one that pulls in windows has no children.
 *
 *  1. Who has a place below the primary keeps it, and all below him keep theirs.
 *  2. Each of the others, those who can be parents first, comes to the parent nearest to the primary, of those the one with
 *     the fewest children, that has fewer than the fan-out; all below him come along as far as the tree may be deep.
 *  3. Where no replica can be its parent it is below the primary, however many are.
 *
 * All get a place, none is its own ancestor, and it is the same for the same replicas in any order.
 */
export function placed(members: readonly TreeMember[], limits: TreeLimits): ReadonlyMap<KeyId, TreePlace> {
  return new Placing(members, limits).places();
}

class Placing {
  readonly #limits: TreeLimits;
  readonly #members: ReadonlyMap<KeyId, TreeMember>;
  /** Who was below whom. */
  readonly #below = new Map<KeyId | null, TreeMember[]>();
  readonly #places = new Map<KeyId, TreePlace>();
  readonly #children = new Map<KeyId | null, number>();

  constructor(members: readonly TreeMember[], limits: TreeLimits) {
    this.#limits = limits;
    const sorted = [...members].sort((a, b) => byRank(a, b));
    this.#members = new Map(sorted.map((member) => [member.id, member]));
    for (const member of this.#members.values()) {
      if (member.parent === undefined) continue;
      const siblings = this.#below.get(member.parent);
      if (siblings === undefined) this.#below.set(member.parent, [member]);
      else siblings.push(member);
    }
  }

  places(): ReadonlyMap<KeyId, TreePlace> {
    this.#keepBelow(null, 0);
    const waiting = [...this.#members.values()].filter(({ id }) => !this.#places.has(id));
    // first those whose parent is not there: the others come along with theirs
    for (const member of waiting) if (this.#isTop(member)) this.#put(member);
    for (const member of waiting) this.#put(member);
    return this.#places;
  }

  #isTop({ parent }: TreeMember): boolean {
    return parent === undefined || parent === null || !this.#members.has(parent) || this.#places.has(parent);
  }

  #put(member: TreeMember): void {
    if (this.#places.has(member.id)) return;
    const parent = this.#parentFor(member);
    this.#place(member, parent);
    this.#keepBelow(member.id, this.#depthOf(member.id));
  }

  /** Everybody who was below a node with a place keeps to it, as far as that may be. */
  #keepBelow(top: KeyId | null, depth: number): void {
    const level: { readonly id: KeyId | null; readonly depth: number }[] = [{ id: top, depth }];
    for (const at of level) {
      if (at.depth >= this.#limits.deepest) continue;
      for (const child of this.#below.get(at.id) ?? []) {
        if (this.#places.has(child.id) || !this.#feeds(at.id, child)) continue;
        this.#place(child, at.id);
        level.push({ id: child.id, depth: at.depth + 1 });
      }
    }
  }

  #parentFor(child: TreeMember): KeyId | null {
    if ((this.#children.get(null) ?? 0) < this.#limits.fanOut) return null;
    let best: { readonly id: KeyId; readonly depth: number; readonly children: number } | null = null;
    for (const [id, { depth }] of this.#places) {
      const children = this.#children.get(id) ?? 0;
      if (depth >= this.#limits.deepest || children >= this.#limits.fanOut) continue;
      const isBetter = best === null || depth < best.depth || (depth === best.depth && children < best.children);
      if (isBetter && this.#feeds(id, child)) best = { id, depth, children };
    }
    return best?.id ?? null;
  }

  #feeds(parent: KeyId | null, child: TreeMember): boolean {
    if (parent === null) return true;
    const member = this.#members.get(parent);
    return member !== undefined && canBeParent(member) && covers(member.subset, child.subset);
  }

  #place({ id }: TreeMember, parent: KeyId | null): void {
    this.#places.set(id, { parent, depth: this.#depthOf(parent) + 1 });
    this.#children.set(parent, (this.#children.get(parent) ?? 0) + 1);
  }

  #depthOf(id: KeyId | null): number {
    return id === null ? 0 : (this.#places.get(id)?.depth ?? 0);
  }
}

const canBeParent = ({ isReachable, update }: TreeMember): boolean => isReachable && update === 'immediately';

/** Who can be the parent of most comes first. */
function byRank(a: TreeMember, b: TreeMember): number {
  return (
    Number(canBeParent(b)) - Number(canBeParent(a)) || Number(isPart(a)) - Number(isPart(b)) || (a.id < b.id ? -1 : 1)
  );
}

const isPart = ({ subset }: TreeMember): boolean => subset !== null;
