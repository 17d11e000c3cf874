import type { Digest } from '../../wlis/trust/digest.js';
import { compareValue } from '../../wlis/search/page-value.js';
import type { Variant } from '../../wlis/trust/variant.js';

/**
 * `pending`: to be taken; `lacking`: its content is not here; `leftOut`: there was no room; `refused`: it says that it is not to
 * be found, or nothing can be made out of it.
 */
export type PageState = 'pending' | 'indexed' | 'lacking' | 'leftOut' | 'refused';

interface Page {
  readonly digest: Digest;
  readonly type: string | null;
  state: PageState;
}

/** The pages of a namespace that can be found by their words, and what has become of each of them. */
export class IndexedPages {
  readonly #pages = new Map<string, Page>();
  readonly #counts: Record<PageState, number> = { pending: 0, indexed: 0, lacking: 0, leftOut: 0, refused: 0 };
  /** Pending, in the order in which they are taken: what has just changed first. */
  readonly #changed = new Set<string>();
  readonly #others = new Set<string>();
  /** In the index, and no longer there. */
  readonly #gone = new Set<string>();
  readonly #lacking = new Map<string, Variant>();

  get counts(): Readonly<Record<PageState, number>> {
    return this.#counts;
  }

  get paths(): IterableIterator<string> {
    return this.#pages.keys();
  }

  /** What is at a path from now on; null if there is nothing to be found. @param isNews whether it has just changed */
  note(path: string, variant: Variant | null, isNews: boolean): void {
    const known = this.#pages.get(path);
    if (variant === null) {
      if (known !== undefined) this.#remove(path, known, true);
      return;
    }
    if (known?.digest === variant.digest && known.type === variant.type) return;
    // what is in the index of it stays there until this takes its place
    if (known !== undefined) this.#remove(path, known, false);
    this.#pages.set(path, { digest: variant.digest, type: variant.type, state: 'pending' });
    this.#counts.pending++;
    (isNews ? this.#changed : this.#others).add(path);
  }

  /** The next that is to be taken. */
  next(): string | undefined {
    const [changed] = this.#changed;
    if (changed !== undefined) return changed;
    const [other] = this.#others;
    return other;
  }

  /** One that is to be taken out of the index, which is done before anything else. It counts as done. */
  nextGone(): string | undefined {
    const [gone] = this.#gone;
    if (gone !== undefined) this.#gone.delete(gone);
    return gone;
  }

  /** What has become of a page, if it is still the one that was taken. */
  settle(path: string, variant: Variant, state: Exclude<PageState, 'pending'>): void {
    const page = this.#pages.get(path);
    if (page?.digest !== variant.digest || page.type !== variant.type) return;
    this.#become(path, page, state);
    if (state !== 'lacking') return;
    this.#lacking.set(path, variant);
    this.#gone.add(path);
  }

  /** It had to make room for another. */
  displaced(path: string): void {
    const page = this.#pages.get(path);
    if (page?.state === 'indexed') this.#become(path, page, 'leftOut');
  }

  /** Takes up those whose content has come meanwhile. */
  retryLacking(has: (variant: Variant) => boolean): void {
    for (const [path, variant] of this.#lacking) if (has(variant)) this.#retry(path);
  }

  /** Takes up the most valuable of those for which there was no room. @returns whether there is one */
  retryLeftOut(): boolean {
    let best: string | null = null;
    for (const [path, { state }] of this.#pages) {
      if (state === 'leftOut' && (best === null || compareValue({ path }, { path: best }) > 0)) best = path;
    }
    if (best !== null) this.#retry(best);
    return best !== null;
  }

  /** Nothing is in the index any more. */
  begin(): void {
    this.#gone.clear();
    for (const [path, page] of this.#pages) if (page.state !== 'refused') this.#become(path, page, 'pending');
  }

  #retry(path: string): void {
    const page = this.#pages.get(path);
    if (page !== undefined) this.#become(path, page, 'pending');
  }

  #become(path: string, page: Page, state: PageState): void {
    this.#counts[page.state]--;
    this.#counts[state]++;
    page.state = state;
    this.#changed.delete(path);
    this.#others.delete(path);
    this.#lacking.delete(path);
    if (state === 'pending') this.#others.add(path);
  }

  #remove(path: string, page: Page, isGone: boolean): void {
    this.#counts[page.state]--;
    this.#pages.delete(path);
    this.#changed.delete(path);
    this.#others.delete(path);
    this.#lacking.delete(path);
    if (isGone) this.#gone.add(path);
  }
}
