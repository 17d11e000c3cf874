import { digestFrom, type Digest } from '../../wlis/trust/digest.js';

/** A content that is here, with the list of its blocks. */
export interface HeldBlocks<T> {
  readonly content: T;
  readonly list: Uint8Array;
}

/** How the next blocks of a content are got: `here` begins at block `at` of another content, `again` of this one. */
export type BlockStep<T> =
  | { readonly kind: 'here'; readonly content: T; readonly at: number; readonly count: number }
  | { readonly kind: 'again'; readonly at: number; readonly count: number }
  | { readonly kind: 'pull'; readonly count: number };

/** Which blocks of a content need not come from elsewhere, since contents that are here have them, or it has them twice. */
export class BlockPlan<T> {
  readonly #blocks: readonly Digest[];
  readonly #first = new Map<Digest, number>();
  readonly #here = new Map<Digest, { readonly content: T; readonly at: number }>();

  /** @param held the first of those that have a block gives it */
  constructor(list: Uint8Array, held: readonly HeldBlocks<T>[]) {
    this.#blocks = digestsOf(list);
    for (const [at, digest] of this.#blocks.entries()) if (!this.#first.has(digest)) this.#first.set(digest, at);
    for (const { content, list: other } of held) {
      for (const [at, digest] of digestsOf(other).entries()) {
        if (this.#first.has(digest) && !this.#here.has(digest)) this.#here.set(digest, { content, at });
      }
    }
  }

  /** As many blocks as possible from that one on. */
  stepAt(block: number): BlockStep<T> {
    const begin = this.#wayOf(block);
    let end = block + 1;
    while (end < this.#blocks.length && goesOn(begin, this.#wayOf(end), end - block)) end++;
    return { ...begin, count: end - block };
  }

  /** That content cannot be read after all. */
  forget(content: T): void {
    for (const [digest, here] of this.#here) if (here.content === content) this.#here.delete(digest);
  }

  #wayOf(block: number): Way<T> {
    const digest = this.#blocks[block] as Digest;
    const first = this.#first.get(digest) ?? block;
    if (first < block) return { kind: 'again', at: first };
    const here = this.#here.get(digest);
    return here === undefined ? { kind: 'pull' } : { kind: 'here', ...here };
  }
}

type Way<T> =
  | { readonly kind: 'here'; readonly content: T; readonly at: number }
  | { readonly kind: 'again'; readonly at: number }
  | { readonly kind: 'pull' };

function goesOn<T>(begin: Way<T>, way: Way<T>, distance: number): boolean {
  if (begin.kind === 'pull' || way.kind === 'pull') return begin.kind === way.kind;
  if (begin.kind === 'here' && (way.kind !== 'here' || way.content !== begin.content)) return false;
  return begin.kind === way.kind && way.at === begin.at + distance;
}

const digestsOf = (list: Uint8Array): Digest[] =>
  Array.from({ length: Math.floor(list.length / 32) }, (_, i) => digestFrom(list, 32 * i));
