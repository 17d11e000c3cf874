import { elapsedMonotonic, milliseconds, type Milliseconds, type MonotonicMs } from '../../config/units.js';
import type { ChangeList, Edit } from '../change-list.js';
import { documentText, saysTheSame, type PublishedDocument } from './published-document.js';
import type { PublishedPaths } from './published-paths.js';
import type { ReleaseGates } from './release-gates.js';
import { indexPageOf, layOut } from './site-layout.js';
import type { CompiledRules } from './source-rules.js';
import { parentOf, type SourceTree } from './source-tree.js';
import { encodePath } from './uri-path.js';

export interface EditParts {
  readonly tree: SourceTree;
  readonly rules: CompiledRules;
  readonly gates: ReleaseGates;
  /** Another list after a new epoch has begun. */
  readonly publication: { readonly list: ChangeList<string> };
  readonly paths: PublishedPaths;
  /** How long a document has to be missing to be removed. */
  readonly missing: Milliseconds;
  /** Gives the rest of the process its turn. */
  readonly breathe: () => Promise<void>;
}

/** So many documents are compared in one turn: some 2 ms of work. */
const comparedAtOnce = 200;

/** What is to be published. */
export interface Gathered {
  readonly ordinary: readonly Edit<string>[];
  /** What was behind gates that are open now. */
  readonly sets: readonly GatheredSet[];
  /** How soon something that is missing will have been missing for long enough. */
  readonly wait: Milliseconds | null;
}

export interface GatheredSet {
  readonly gate: string;
  readonly edits: readonly Edit<string>[];
}

/** Compares what the directories say with what is published. Paths of directories are names here. */
export class DocumentEdits {
  readonly #parts: EditParts;
  /** Directories in which something may be to be published that was held back so far. */
  readonly #pending = new Set<string>();
  readonly #missingSince = new Map<string, MonotonicMs>();
  #compared = 0;

  constructor(parts: EditParts) {
    this.#parts = parts;
  }

  /** From now on it counts that something is different there, or above. */
  touch(directory: string): void {
    this.#pending.add(directory);
    // a page that stands for a directory shows in the directory above
    const above = parentOf(directory);
    if (above !== undefined) this.#pending.add(above);
  }

  touchAll(): void {
    const { tree, paths, rules } = this.#parts;
    for (const { path } of tree.all()) this.#pending.add(path);
    for (const directory of paths.directories()) this.#pending.add(decodeURIComponent(directory));
    for (const directory of rules.redirects.keys()) this.#pending.add(directory);
  }

  /** Nothing is to be touched, nor put back, until it is fulfilled. */
  async gather(now: MonotonicMs): Promise<Gathered> {
    const { gates } = this.#parts;
    const sets: GatheredSet[] = [];
    for (const { path } of gates.open()) sets.push({ gate: path, edits: await this.#setBehind(path, now) });
    const ordinary: Edit<string>[] = [];
    for (const directory of this.#pending) {
      if (gates.of(directory) !== undefined || this.#isMarked(directory)) continue;
      const isDone = await this.#compare(directory, now, false, ordinary);
      if (isDone) this.#pending.delete(directory);
    }
    return { ordinary: ordinary.sort(byPath), sets, wait: this.#soonest(now) };
  }

  /** These were not published: they are to be gathered again. */
  putBack(edits: readonly Edit<string>[]): void {
    for (const { path } of edits) this.#pending.add(decodeURIComponent(path.slice(0, path.lastIndexOf('/') + 1)));
  }

  async #setBehind(gate: string, now: MonotonicMs): Promise<Edit<string>[]> {
    const { tree, paths } = this.#parts;
    const directories = new Set([...tree.below(gate)].map(({ path }) => path));
    const prefix = encodePath(gate) ?? '';
    for (const directory of paths.directories()) {
      if (directory.startsWith(prefix)) directories.add(decodeURIComponent(directory));
    }
    const edits: Edit<string>[] = [];
    for (const directory of directories) {
      if (await this.#compare(directory, now, true, edits)) this.#pending.delete(directory);
    }
    return edits.sort(byPath);
  }

  /** Gives whether nothing is left to be done there. */
  async #compare(directory: string, now: MonotonicMs, isSet: boolean, edits: Edit<string>[]): Promise<boolean> {
    const { publication, paths } = this.#parts;
    const desired = this.#desired(directory);
    for (const [path, document] of desired) {
      if (++this.#compared % comparedAtOnce === 0) await this.#parts.breathe();
      this.#missingSince.delete(path);
      const text = documentText(document);
      const published = publication.list.latest(path)?.document;
      if (published == null || !saysTheSame(published, text)) edits.push({ path, document: text });
    }
    let isDone = true;
    for (const path of paths.in(encodePath(directory) ?? '')) {
      if (desired.has(path)) continue;
      if (this.#mayRemove(directory, path, now, isSet)) edits.push({ path, document: null });
      else isDone = false;
    }
    return isDone;
  }

  #desired(directory: string): Map<string, PublishedDocument> {
    const { tree, rules } = this.#parts;
    const state = tree.get(directory);
    if (state === undefined && !rules.redirects.has(directory)) return new Map();
    const indexed = [...(state?.subdirectories ?? [])].filter((name) => {
      const files = tree.get(`${directory}${name}/`)?.files;
      return files !== undefined && indexPageOf(files, rules) !== undefined;
    });
    return layOut({ path: directory, files: state?.files ?? new Map(), indexed }, rules);
  }

  #mayRemove(directory: string, path: string, now: MonotonicMs, isSet: boolean): boolean {
    const { tree, missing } = this.#parts;
    if (this.#isUnsure(directory) || tree.get(`${decodeURIComponent(path)}/`)?.isIncomplete === true) {
      this.#missingSince.delete(path);
      return false;
    }
    if (isSet) return true;
    const since = this.#missingSince.get(path);
    if (since === undefined) this.#missingSince.set(path, now);
    return elapsedMonotonic(since ?? now, now) >= missing;
  }

  /** Not all of it could be seen, so that nothing can be said to be gone. */
  #isUnsure(directory: string): boolean {
    const { tree } = this.#parts;
    if (tree.get(directory)?.isIncomplete === true) return true;
    for (let above = parentOf(directory); above !== undefined; above = parentOf(above)) {
      if ((tree.get(above)?.unreadable.size ?? 0) > 0) return true;
    }
    return false;
  }

  /** Changes in it come out only when its marker is touched. */
  #isMarked(directory: string): boolean {
    for (let one: string | undefined = directory; one !== undefined; one = parentOf(one)) {
      if (this.#parts.tree.get(one)?.marker != null) return true;
    }
    return false;
  }

  #soonest(now: MonotonicMs): Milliseconds | null {
    let soonest: number | null = null;
    for (const [path, since] of this.#missingSince) {
      if (this.#parts.publication.list.latest(path)?.document == null) this.#missingSince.delete(path);
      else soonest = Math.min(soonest ?? Infinity, this.#parts.missing - elapsedMonotonic(since, now));
    }
    return soonest === null ? null : milliseconds(Math.max(soonest, 0));
  }
}

const byPath = (a: Edit<string>, b: Edit<string>): number => (a.path < b.path ? -1 : Number(a.path > b.path));
