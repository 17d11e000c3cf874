import { hash } from 'node:crypto';
import { nextTurn } from '../../proxy/cache/next-turn.js';
import type { Namespace } from '../../wlis/namespace.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { Change, ChangeList } from '../change-list.js';

/**
 * Which paths of a list the keys of a trie belong to: a hash table that is made when it is first asked, and catches up with
 * the list then. 16 bytes for each path.
 */
export class KeyIndex {
  readonly #namespace: Namespace;
  readonly #list: ChangeList<string>;
  #paths: string[] = [];
  /** The first bits of the key of each path. */
  #beginnings = new Uint32Array(1024);
  /** Numbers of paths, from 1, by the beginnings of their keys; behind each other where they collide. */
  #slots = new Uint32Array(2048);
  #upTo = 0;
  #catchingUp: Promise<void> = Promise.resolve();

  constructor(namespace: Namespace, list: ChangeList<string>) {
    this.#namespace = namespace;
    this.#list = list;
  }

  /** The latest change of each of these documents; undefined where the list knows nothing of it. */
  async find(keys: readonly Digest[]): Promise<readonly (Change<string> | undefined)[]> {
    const done = this.#catchingUp.then(() => this.#catchUp());
    this.#catchingUp = done.catch(() => undefined);
    await done;
    return keys.map((key) => {
      const path = this.#pathOf(key);
      return path === undefined ? undefined : this.#list.latest(path);
    });
  }

  async #catchUp(): Promise<void> {
    if (this.#upTo === this.#list.last) return;
    const { documents, removals } = this.#list.counts;
    // what has been gone for long is in the way
    if (this.#paths.length > 2 * (documents + removals) + 1024) this.#clear();
    const found = this.#list.since(this.#upTo, Infinity);
    const { last } = this.#list;
    const changes = found.kind === 'changes' ? found.changes : [...this.#list.changes()];
    for (const [i, { path }] of changes.entries()) {
      this.#add(path);
      if (i % perTurn === perTurn - 1) await nextTurn();
    }
    this.#upTo = last;
  }

  #clear(): void {
    this.#paths = [];
    this.#slots.fill(0);
    this.#upTo = 0;
  }

  #add(path: string): void {
    const key = this.#keyOf(path);
    if (this.#pathOf(key) !== undefined) return;
    if (2 * (this.#paths.length + 1) > this.#slots.length) this.#grow();
    const number = this.#paths.push(path);
    this.#beginnings[number - 1] = beginningOf(key);
    this.#place(number);
  }

  #pathOf(key: Digest): string | undefined {
    const beginning = beginningOf(key);
    const mask = this.#slots.length - 1;
    for (let slot = beginning & mask; ; slot = (slot + 1) & mask) {
      const number = this.#slots[slot] as number;
      if (number === 0) return undefined;
      const path = this.#paths[number - 1] as string;
      if (this.#beginnings[number - 1] === beginning && this.#keyOf(path) === key) return path;
    }
  }

  #place(number: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#beginnings[number - 1] as number) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = number;
  }

  #grow(): void {
    const beginnings = new Uint32Array(2 * this.#beginnings.length);
    beginnings.set(this.#beginnings);
    this.#beginnings = beginnings;
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let number = 1; number <= this.#paths.length; number++) this.#place(number);
  }

  #keyOf(path: string): Digest {
    return hash('sha256', this.#namespace + path) as Digest;
  }
}

const beginningOf = (key: Digest): number => parseInt(key.slice(0, 8), 16);

/** About a millisecond. */
const perTurn = 500;
