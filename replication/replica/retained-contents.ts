import type { Digest } from '../../wlis/trust/digest.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { BlobStore } from '../blob-store.js';
import type { Change, ChangeList } from '../change-list.js';
import { parseDocument } from '../source/published-document.js';
import type { HoldingRules } from './holding-rules.js';
import { HoldingsCount } from './holdings-count.js';

/** What is held before changes that are expected. */
type Before = Pick<ChangeList<string>, 'latest' | 'changes'> | null;

/**
 * Keeps the blob store from deleting what belongs here: the contents of the documents that are held, and of those that are on
 * their way. Of as many as there may be, others have their turn in between.
 */
export class RetainedContents {
  /** Of the newest documents that are known. */
  readonly count: HoldingsCount;
  readonly #blobs: BlobStore;
  readonly #rules: HoldingRules;
  readonly #rest: () => Promise<void>;
  /** What is retained for changes that are not held yet. */
  readonly #next = new Map<string, string | null>();
  /** Of documents that were removed, as they were. */
  readonly #kept = new Map<string, Change<string>>();

  /** @param rest lets others have their turn */
  constructor(blobs: BlobStore, rules: HoldingRules, rest: () => Promise<void>) {
    this.#blobs = blobs;
    this.#rules = rules;
    this.#rest = rest;
    this.count = new HoldingsCount(blobs);
  }

  get kept(): ReadonlyMap<string, Change<string>> {
    return this.#kept;
  }

  /** What is held already, as it is found at the start. */
  async begin(held: Iterable<Change<string>>, beside: Iterable<Change<string>>): Promise<void> {
    for await (const { path, document } of this.#inSlices(held)) {
      if (document === null) continue;
      const contents = this.contents(path, document);
      this.#retain(contents);
      this.count.add(contents);
    }
    for await (const { path, document } of this.#inSlices(beside)) this.#retain(this.contents(path, document));
  }

  async release(changes: Iterable<Change<string>>): Promise<void> {
    for await (const { path, document } of this.#inSlices(changes)) this.#release(this.contents(path, document));
  }

  /**
   * For changes that have been taken. @param isWhole they are all there is, and do not go on from what is held or was
   * expected
   */
  async expect(changes: Iterable<Change<string>>, before: Before, isWhole: boolean): Promise<void> {
    const past = new Map(isWhole ? this.#next : []);
    if (isWhole) {
      await this.#discount(before, past);
      this.#next.clear();
    }
    for await (const { path, document } of this.#inSlices(changes)) {
      const contents = this.contents(path, document);
      this.#retain(contents);
      if (document !== null) this.count.add(contents);
      const expected = this.#next.get(path);
      const known = expected === undefined && !isWhole ? before?.latest(path)?.document : expected;
      if (known != null) {
        const old = this.contents(path, known);
        this.count.remove(old);
        if (expected !== undefined) this.#release(old);
      }
      this.#next.set(path, document);
    }
    for await (const [path, document] of this.#inSlices(past)) this.#release(this.contents(path, document));
  }

  /** Nothing belongs here any more. @param held what of it is held, or was found beside that */
  async end(held: Iterable<Change<string>>): Promise<void> {
    await this.release(held);
    for await (const [path, document] of this.#inSlices(this.#next)) this.#release(this.contents(path, document));
    this.#next.clear();
    this.forgetKept();
  }

  /** What was expected is held now, in the place of what the list had before; that is what this gives. */
  arrive(before: ChangeList<string> | null, isWhole: boolean): Change<string>[] {
    const replaced: Change<string>[] = [];
    if (before !== null && isWhole) for (const change of before.changes()) replaced.push(change);
    if (before !== null && !isWhole) for (const path of this.#next.keys()) pushFound(replaced, before.latest(path));
    if (this.#kept.size > 0) for (const [path, document] of this.#next) if (document !== null) this.#forget(path);
    this.#next.clear();
    return replaced;
  }

  /** Keeps the contents of documents that have been removed; they are retained already. */
  keep(changes: readonly Change<string>[]): void {
    for (const change of changes) {
      this.#forget(change.path);
      this.#kept.set(change.path, change);
    }
  }

  /** Makes room. */
  forgetKept(): void {
    for (const { path } of [...this.#kept.values()]) this.#forget(path);
  }

  /** Those of a document that belong here. */
  contents(path: string, document: string | null): readonly Variant[] {
    if (document === null) return [];
    const { variants } = parseDocument(path, document);
    return variants.filter((variant) => variant.length > 0 && this.#rules.belongs(path, variant));
  }

  /** Nothing that is known counts any more. */
  async #discount(before: Before, expected: ReadonlyMap<string, string | null>): Promise<void> {
    for await (const { path, document } of this.#inSlices(before?.changes() ?? [])) {
      if (document !== null && !expected.has(path)) this.count.remove(this.contents(path, document));
    }
    for await (const [path, document] of this.#inSlices(expected)) {
      if (document !== null) this.count.remove(this.contents(path, document));
    }
  }

  #forget(path: string): void {
    const kept = this.#kept.get(path);
    if (kept === undefined) return;
    this.#kept.delete(path);
    this.#release(this.contents(path, kept.document));
  }

  #retain(contents: readonly Variant[]): void {
    for (const digest of digestsOf(contents)) this.#blobs.retain(digest);
  }

  #release(contents: readonly Variant[]): void {
    for (const digest of digestsOf(contents)) this.#blobs.release(digest);
  }

  async *#inSlices<T>(all: Iterable<T>): AsyncGenerator<T> {
    let count = 0;
    for (const one of all) {
      if (++count % slice === 0) await this.#rest();
      yield one;
    }
  }
}

function* digestsOf(contents: readonly Variant[]): Generator<Digest> {
  for (const { digest, length, blockSize, blocks } of contents) {
    yield digest;
    if (length > blockSize) yield blocks;
  }
}

function pushFound<T>(list: T[], found: T | undefined): void {
  if (found !== undefined) list.push(found);
}

/** So many documents are looked at in one turn: some 2 ms. */
const slice = 256;
