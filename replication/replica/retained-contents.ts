import type { Digest } from '../../wlis/trust/digest.js';
import type { Variant } from '../../wlis/trust/variant.js';
import type { BlobStore } from '../blob-store.js';
import type { Change, ChangeList } from '../change-list.js';
import { parseDocument } from '../source/published-document.js';
import type { HoldingRules } from './holding-rules.js';

/**
 * Keeps the blob store from deleting what belongs here: the contents of the documents that are held, and of those that are on
 * their way.
 */
export class RetainedContents {
  readonly #blobs: BlobStore;
  readonly #rules: HoldingRules;
  /** What is retained for changes that are not held yet. */
  readonly #next = new Map<string, string | null>();
  /** Of documents that were removed, as they were. */
  readonly #kept = new Map<string, Change<string>>();

  constructor(blobs: BlobStore, rules: HoldingRules) {
    this.#blobs = blobs;
    this.#rules = rules;
  }

  get kept(): Iterable<Change<string>> {
    return this.#kept.values();
  }

  /** For documents that are held, or shown. */
  retain({ path, document }: Change<string>): void {
    for (const digest of this.#digests(path, document)) this.#blobs.retain(digest);
  }

  release({ path, document }: Change<string>): void {
    for (const digest of this.#digests(path, document)) this.#blobs.release(digest);
  }

  /** For changes that have been taken. */
  expect(changes: Iterable<Change<string>>): void {
    for (const change of changes) {
      const before = this.#next.get(change.path);
      this.retain(change);
      if (before !== undefined) this.release({ ...change, document: before });
      this.#next.set(change.path, change.document);
    }
  }

  /** What was expected is held now, in the place of what the list had before; that is what this gives. */
  arrive(before: ChangeList<string> | null, isWhole: boolean): Change<string>[] {
    const replaced: Change<string>[] = [];
    if (before !== null) {
      if (isWhole) replaced.push(...before.changes());
      else for (const path of this.#next.keys()) pushFound(replaced, before.latest(path));
    }
    for (const [path, document] of this.#next) if (document !== null) this.#forget(path);
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
    for (const change of this.#kept.values()) this.release(change);
    this.#kept.clear();
  }

  #forget(path: string): void {
    const kept = this.#kept.get(path);
    if (kept === undefined) return;
    this.#kept.delete(path);
    this.release(kept);
  }

  /** Those of a document that belong here. */
  contents(path: string, document: string | null): readonly Variant[] {
    if (document === null) return [];
    const { variants } = parseDocument(path, document);
    return variants.filter((variant) => variant.length > 0 && this.#rules.belongs(path, variant));
  }

  *#digests(path: string, document: string | null): Generator<Digest> {
    for (const variant of this.contents(path, document)) {
      yield variant.digest;
      if (variant.length > variant.blockSize) yield variant.blocks;
    }
  }
}

function pushFound<T>(list: T[], found: T | undefined): void {
  if (found !== undefined) list.push(found);
}
