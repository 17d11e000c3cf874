import type { Fingerprint, SourceFile } from './source-file.js';
import type { Look } from './settling.js';

/** What is known of a directory of the source. */
export class DirectoryState {
  /** Published names, and those whose last state is in the store though there is a newer one. */
  readonly files = new Map<string, SourceFile>();
  readonly subdirectories = new Set<string>();
  /** Files that may not be finished. */
  readonly looks = new Map<string, Look>();
  /** Names that cannot be read, and what the system says. */
  readonly unreadable = new Map<string, string>();
  /** The marker of a directory that changes as a whole. */
  marker: Fingerprint | null = null;

  constructor(
    /** Names, with a slash at the end; empty at the top. */
    readonly path: string,
    /** Where it really is. */
    public real: string,
  ) {}

  /** Something of it is not known yet: what is not seen need not be gone. */
  get isIncomplete(): boolean {
    if (this.unreadable.size > 0) return true;
    for (const name of this.looks.keys()) if (!this.files.has(name)) return true;
    return false;
  }
}

/** The directories of a source, by their paths. */
export class SourceTree {
  readonly #directories = new Map<string, DirectoryState>();

  get(path: string): DirectoryState | undefined {
    return this.#directories.get(path);
  }

  add(path: string, real: string): DirectoryState {
    const state = new DirectoryState(path, real);
    this.#directories.set(path, state);
    return state;
  }

  all(): IterableIterator<DirectoryState> {
    return this.#directories.values();
  }

  /** A directory and all below it. */
  *below(path: string): Generator<DirectoryState> {
    const state = this.#directories.get(path);
    if (state === undefined) return;
    yield state;
    for (const name of state.subdirectories) yield* this.below(`${path}${name}/`);
  }

  /** Forgets a directory and all below it, and gives what was forgotten. */
  remove(path: string): DirectoryState[] {
    const removed = [...this.below(path)];
    for (const state of removed) this.#directories.delete(state.path);
    return removed;
  }
}

/** The directory above; undefined for the top. */
export function parentOf(path: string): string | undefined {
  if (path === '') return undefined;
  return path.slice(0, path.lastIndexOf('/', path.length - 2) + 1);
}

/** The name of a directory, without its slash. */
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/', path.length - 2) + 1, -1);
