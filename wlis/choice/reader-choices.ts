/** A site, or a part of one, of which several servers have copies: a namespace, or what a rule says is mirrored. */
export type ChosenPart = string;

/** What a reader has chosen for a part of the web. */
export interface ReaderChoice {
  /** Address of the reader. */
  readonly client: string;
  readonly part: ChosenPart;
  /** `http://m1.example`, or `primary`. */
  readonly from: string;
}

/** Whom readers want to get things from, each for himself. When there are too many, the longest unused go first. */
export class ReaderChoices {
  readonly #most: number;
  readonly #chosen = new Map<string, ReaderChoice>();
  #changes = 0;

  constructor(most = 10_000) {
    this.#most = most;
  }

  /** Grows with each change. */
  get changes(): number {
    return this.#changes;
  }

  get size(): number {
    return this.#chosen.size;
  }

  /** Null where the reader leaves it to the node. */
  of(client: string, part: ChosenPart): string | null {
    if (this.#chosen.size === 0) return null;
    const key = keyOf(client, part);
    const choice = this.#chosen.get(key);
    if (choice === undefined) return null;
    this.#chosen.delete(key);
    this.#chosen.set(key, choice);
    return choice.from;
  }

  choose(choice: ReaderChoice): void {
    const key = keyOf(choice.client, choice.part);
    this.#chosen.delete(key);
    const [longestUnused] = this.#chosen.keys();
    if (this.#chosen.size >= this.#most && longestUnused !== undefined) this.#chosen.delete(longestUnused);
    this.#chosen.set(key, choice);
    this.#changes++;
  }

  /** It is left to the node again. */
  leave(client: string, part: ChosenPart): void {
    if (this.#chosen.delete(keyOf(client, part))) this.#changes++;
  }

  /** The longest unused first. */
  all(): Iterable<ReaderChoice> {
    return this.#chosen.values();
  }
}

/** No address has a space in it. */
const keyOf = (client: string, part: ChosenPart): string => `${client} ${part}`;
