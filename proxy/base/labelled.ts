/** The values of a set of labels, in the order of the labels' names. */
export type LabelValues = readonly (string | number)[];

type Tree = Map<string | number, unknown>;

/**
 * One thing for each set of label values that has come up. They are bounded in number: once there are that many, all
 * further sets share one thing, under the value `other` for each label.
 */
export class Labelled<T extends object> {
  readonly names: readonly string[];
  readonly #make: (...values: LabelValues) => T;
  readonly #most: number;
  /** By the first value, then by the second and so on; the last step leads to the thing. */
  readonly #tree: Tree = new Map();
  #count = 0;
  #rest: T | undefined;

  constructor(names: readonly string[], make: (...values: LabelValues) => T, most = 2000) {
    this.names = names;
    this.#make = make;
    this.#most = most;
  }

  /** The thing for these values, one for each name; made when they come up for the first time. */
  of(...values: LabelValues): T {
    let found: unknown = this.#tree;
    for (let i = 0; i < values.length; i++) {
      found = (found as Tree).get(values[i] as string | number);
      if (found === undefined) return this.#add(values);
    }
    return found as T;
  }

  /** All that were made. */
  *entries(): Iterable<[LabelValues, T]> {
    yield* this.#under(this.#tree, []);
    if (this.#rest !== undefined) yield [this.#others(), this.#rest];
  }

  *#under(tree: Tree, before: LabelValues): Iterable<[LabelValues, T]> {
    for (const [value, next] of tree) {
      const values = [...before, value];
      if (values.length === this.names.length) yield [values, next as T];
      else yield* this.#under(next as Tree, values);
    }
  }

  #add(values: LabelValues): T {
    if (this.#count >= this.#most) return (this.#rest ??= this.#make(...this.#others()));
    this.#count++;
    const made = this.#make(...values);
    let tree = this.#tree;
    for (const value of values.slice(0, -1)) {
      const next = (tree.get(value) as Tree | undefined) ?? new Map<string | number, unknown>();
      tree.set(value, next);
      tree = next;
    }
    tree.set(values.at(-1) as string | number, made);
    return made;
  }

  #others(): LabelValues {
    return this.names.map(() => 'other');
  }
}
