import type { Change } from '../change-list.js';
import { directoryOf } from './uri-path.js';

/** The paths of published documents by their directories, as URIs have them. */
export class PublishedPaths {
  readonly #byDirectory = new Map<string, Set<string>>();

  /** Takes over changes. */
  apply(changes: Iterable<Change<string>>): void {
    for (const { path, document } of changes) {
      const directory = directoryOf(path);
      const paths = this.#byDirectory.get(directory);
      if (document === null) {
        paths?.delete(path);
        if (paths?.size === 0) this.#byDirectory.delete(directory);
      } else if (paths === undefined) this.#byDirectory.set(directory, new Set([path]));
      else paths.add(path);
    }
  }

  in(directory: string): Iterable<string> {
    return this.#byDirectory.get(directory) ?? [];
  }

  directories(): IterableIterator<string> {
    return this.#byDirectory.keys();
  }
}
