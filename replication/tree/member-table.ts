import type { MonotonicMs } from '../../config/units.js';
import type { KeyId } from '../../wlis/trust/public-key.js';
import type { TreeNode } from './join-answer.js';
import { placed, type TreeLimits } from './placement.js';
import type { StoredMember } from './stored-member.js';

/** A replica as the primary knows it. Of one that is not active, the place counts no more. */
export interface Member extends Omit<StoredMember, 'activeUntil'> {
  /** Till then it is in the group; null if it is not. */
  readonly until: MonotonicMs | null;
}

/** The replicas of a namespace and their places in the tree; nobody has one who is not active, and all have one who are. */
export class MemberTable {
  readonly #primary: TreeNode;
  readonly #limits: TreeLimits;
  readonly #members = new Map<KeyId, Member>();
  readonly #depths = new Map<KeyId, number>();

  constructor(primary: TreeNode, limits: TreeLimits) {
    this.#primary = primary;
    this.#limits = limits;
  }

  get size(): number {
    return this.#members.size;
  }

  get(id: KeyId): Member | undefined {
    return this.#members.get(id);
  }

  all(): readonly Member[] {
    return [...this.#members.values()];
  }

  active(): readonly Member[] {
    return this.all().filter(({ until }) => until !== null);
  }

  /** Places are right again after `arrange`. */
  put(member: Member): void {
    this.#members.set(member.id, member);
  }

  remove(id: KeyId): void {
    this.#members.delete(id);
    this.#depths.delete(id);
  }

  /** There is one node at a URL: who had it before is there no more. @returns who that is */
  takeUrls(id: KeyId, urls: readonly string[]): readonly KeyId[] {
    const others = this.all().filter((other) => other.id !== id && other.node.urls.some((url) => urls.includes(url)));
    for (const { node, ...rest } of others) {
      this.put({ ...rest, node: { ...node, urls: node.urls.filter((url) => !urls.includes(url)) } });
    }
    return others.map((other) => other.id);
  }

  /** Whose time is over is active no more. @returns who that is */
  expire(now: MonotonicMs): readonly Member[] {
    const ended = this.active().filter(({ until }) => until !== null && until <= now);
    for (const member of ended) this.put({ ...member, until: null });
    return ended;
  }

  /** When the next one's time is over; null if nobody is active. */
  nextEnd(): MonotonicMs | null {
    let next: MonotonicMs | null = null;
    for (const { until } of this.#members.values()) if (until !== null && (next === null || until < next)) next = until;
    return next;
  }

  /** Gives all that are active their places. @returns whose parent is another one now */
  arrange(): readonly Member[] {
    const places = placed(
      this.active().map(({ id, node, parent }) => ({
        ...{ id, parent, subset: node.subset, update: node.update },
        isReachable: node.urls.length > 0,
      })),
      this.#limits,
    );
    const moved: Member[] = [];
    this.#depths.clear();
    for (const member of this.all()) {
      const place = places.get(member.id);
      if (place !== undefined) this.#depths.set(member.id, place.depth);
      if (place?.parent === member.parent) continue;
      const changed = { ...member, parent: place?.parent };
      this.put(changed);
      moved.push(changed);
    }
    return moved;
  }

  /** Steps to the primary; 0 for who is not active. */
  depthOf(id: KeyId): number {
    return this.#depths.get(id) ?? 0;
  }

  /** The parent of a member, and those above that up to the primary. */
  above(id: KeyId): { readonly parent: TreeNode; readonly ancestors: readonly TreeNode[] } {
    const chain: TreeNode[] = [];
    for (let at = this.#parentOf(id); at !== undefined; at = this.#parentOf(at.id)) {
      chain.push({ id: at.id, url: at.node.urls[0] as string });
    }
    chain.push(this.#primary);
    const [parent, ...ancestors] = chain;
    return { parent: parent ?? this.#primary, ancestors };
  }

  #parentOf(id: KeyId): Member | undefined {
    const parent = this.#members.get(id)?.parent;
    return parent == null ? undefined : this.#members.get(parent);
  }
}
