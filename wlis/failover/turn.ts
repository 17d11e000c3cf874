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

  /** More is known of what is wanted: the order is made anew, without those who failed. */
  reconsider(): void {
    this.#choice = this.#choose();
    this.#left = this.#attempts;
    this.#tried = new Set([...this.#liars, ...this.#failures.map(({ url }) => url)]);
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

  failed(url: string, because: string, isLie = false): void {
    if (this.#failures.length < mostKept) this.#failures.push({ url, because });
    if (isLie) this.#liars.add(url);
    this.#tried.add(url);
    if (this.#believed === null) return;
    this.#broken = this.#believed === url && !isLie ? url : this.#broken;
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

const mostKept = 32;
