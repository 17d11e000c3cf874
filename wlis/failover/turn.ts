import type { Alternatives } from '../../proxy/base/errors.js';
import type { Choice, Ranked, Skipped } from '../choice/choice.js';

/**
 * Whose turn it is, for one request: the candidates in the order of their choice, at most so many, and then the primary. Once
 * something that a node sent was believed and it fails after that, all are asked anew, and it last; so that a long transfer
 * goes on as long as it gets on. Who sent what cannot be true is not asked again.
 */
export class Turn {
  readonly #choose: () => Choice;
  readonly #attempts: number;
  readonly #failures: Skipped[] = [];
  readonly #liars = new Set<string>();
  readonly #unwell = new Set<string>();
  #choice: Choice;
  #left: number;
  #tried = new Set<string>();
  /** Whose bytes were believed since somebody failed. */
  #believed: string | null = null;
  /** Who failed after that. */
  #broken: string | null = null;

  /** @param choose gives the order as it is when it is called */
  constructor(choose: () => Choice, attempts: number) {
    this.#choose = choose;
    this.#attempts = attempts;
    this.#left = attempts;
    this.#choice = choose();
  }

  /** Those who failed here, and those whom the choice left out. */
  get skipped(): readonly Skipped[] {
    const failed = new Set(this.#failures.map(({ url }) => url));
    return [...this.#failures, ...this.#choice.skipped.filter(({ url }) => !failed.has(url))];
  }

  /** For a reader who is to be told that all this was in vain. */
  get alternatives(): Alternatives {
    const failed = new Set(this.#failures.map(({ url }) => url));
    const { ranked, skipped } = this.#choice;
    const reasons = new Map(skipped.map(({ url, because }) => [url, because]));
    const urls = new Set([...ranked.map(({ candidate }) => candidate.url), ...reasons.keys()]);
    return {
      tried: [...new Map(this.#failures.map((one) => [one.url, one])).values()],
      left: [...urls].filter((url) => !failed.has(url)).map((url) => ({ url, because: reasons.get(url) ?? null })),
    };
  }

  /** Whether anybody is left to be asked. */
  get hasNext(): boolean {
    return (this.#find() ?? this.#again()) !== null;
  }

  next(): Ranked | null {
    const found = this.#find();
    if (found === null) {
      const again = this.#again();
      this.#broken = null;
      return again;
    }
    this.#tried.add(found.candidate.url);
    if (found.candidate.role !== 'primary') this.#left--;
    return found;
  }

  /**
   * More is known of what is wanted: the order is made anew, without those who failed; who only was behind may have bytes.
   * @param first who is to be asked before all others
   */
  reconsider(first: Ranked | null = null): void {
    const choice = this.#choose();
    this.#choice = first === null ? choice : preferring(first, choice);
    this.#left = this.#attempts;
    this.#tried = new Set(this.#unwell);
  }

  /** It is being read already. */
  took(url: string): void {
    this.#tried.add(url);
  }

  /** The order, the best first. */
  get ranked(): readonly Ranked[] {
    return this.#choice.ranked;
  }

  /** Something that it sent was believed. */
  believed(url: string): void {
    this.#believed = url;
  }

  /** @param fault whether something is wrong with it; `lie` if it sent what cannot be true */
  failed(url: string, because: string, fault: 'none' | 'fault' | 'lie'): void {
    if (this.#failures.length < mostKept) this.#failures.push({ url, because });
    if (fault !== 'none') this.#unwell.add(url);
    if (fault === 'lie') this.#liars.add(url);
    this.#tried.add(url);
    if (this.#believed === null) return;
    this.#broken = this.#believed === url && fault !== 'lie' ? url : this.#broken;
    this.#believed = null;
    this.#left = this.#attempts;
    this.#tried = new Set([...this.#liars, url]);
    this.#choice = this.#choose();
  }

  #find(): Ranked | null {
    const isLeft = ({ candidate }: Ranked): boolean => !this.#tried.has(candidate.url);
    const { ranked } = this.#choice;
    if (this.#left > 0) return ranked.find(isLeft) ?? null;
    return ranked.find((one) => one.candidate.role === 'primary' && isLeft(one)) ?? null;
  }

  #again(): Ranked | null {
    return this.#choice.ranked.find(({ candidate }) => candidate.url === this.#broken) ?? null;
  }
}

/** The same order with one of them before all others. */
export const preferring = (first: Ranked, { ranked, skipped }: Choice): Choice => ({
  ranked: [first, ...ranked.filter(({ candidate }) => candidate.url !== first.candidate.url)],
  skipped,
});

const mostKept = 32;
