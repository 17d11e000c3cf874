import { watch, type FSWatcher } from 'node:fs';

export interface WatchReports {
  /** Something has happened to a name in a directory; null: to some name. */
  readonly onNews: (directory: string, name: string | null) => void;
  /** Not everything can be watched; called once. */
  readonly onTrouble: (error: NodeJS.ErrnoException) => void;
}

/**
 * Watches directories one by one. A hint only: what is not told of is found by looking. (The recursive watch of Node.js 20 asks
 * the system about every file for itself.)
 */
export class DirectoryWatch {
  readonly #reports: WatchReports;
  readonly #watchers = new Map<string, FSWatcher>();
  #isTroubled = false;
  #closed = false;

  constructor(reports: WatchReports) {
    this.#reports = reports;
  }

  /** How many directories are watched. */
  get size(): number {
    return this.#watchers.size;
  }

  /** Whether there are directories that cannot be watched. */
  get isTroubled(): boolean {
    return this.#isTroubled;
  }

  /** From now on watches what is there, under this name for it, in place of what was there before. */
  watch(directory: string, real: string): void {
    this.unwatch(directory);
    if (this.#closed) return;
    try {
      const watcher = watch(real, { persistent: false }, (_event, name) => this.#reports.onNews(directory, name));
      watcher.on('error', () => {
        if (this.#watchers.get(directory) === watcher) this.unwatch(directory);
      });
      this.#watchers.set(directory, watcher);
    } catch (error) {
      // a directory that has gone is no trouble
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'ENOTDIR') this.#trouble(error as NodeJS.ErrnoException);
    }
  }

  unwatch(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #trouble(error: NodeJS.ErrnoException): void {
    if (this.#isTroubled) return;
    this.#isTroubled = true;
    this.#reports.onTrouble(error);
  }
}
