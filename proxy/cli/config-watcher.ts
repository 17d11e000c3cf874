import { createHash } from 'node:crypto';
import { watch, type FSWatcher } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { milliseconds, type Milliseconds } from '../../config/units.js';
import { stepsTo } from '../base/path-steps.js';

export interface WatcherTimes {
  /** How long the content of all files must stay as it is to be taken for finished. */
  readonly settle: Milliseconds;
  /** How long a file may be missing before that is taken for more than a moment in its replacement. */
  readonly absence: Milliseconds;
  /** How often to look without having been told of anything. */
  readonly scan: Milliseconds;
}

const usualTimes: WatcherTimes = {
  settle: milliseconds(250),
  absence: milliseconds(2000),
  scan: milliseconds(10_000),
};

/**
 * Tells when the content of files has changed, however they are replaced: written in place, renamed over, or by a link that
 * leads elsewhere. What counts is the content and not the event. Does not keep a process alive.
 */
export class ConfigWatcher {
  readonly #onChange: () => Promise<void>;
  readonly #times: WatcherTimes;
  readonly #directories = new Map<string, WatchedDirectory>();
  readonly #scanner: NodeJS.Timeout;
  #paths: readonly string[] = [];
  /** The content of which somebody was told last; null: whatever is there is to be told. */
  #told: Reading | null = null;
  /** Another content, seen once. */
  #seen: Reading | null = null;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #again = false;
  #closed = false;

  /** @param onChange is called again only when it has ended */
  constructor(onChange: () => Promise<void>, times: WatcherTimes = usualTimes) {
    this.#onChange = onChange;
    this.#times = times;
    this.#scanner = setInterval(() => {
      if (this.#timer === undefined) this.#lookIn(milliseconds(0));
    }, times.scan).unref();
  }

  /** From now on watches these. If there are others than before, their content counts as changed. */
  watch(paths: readonly string[]): void {
    if (this.#closed || paths.join('\0') === this.#paths.join('\0')) return;
    this.#paths = paths;
    this.#told = null;
    this.#lookIn(milliseconds(0));
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#scanner);
    clearTimeout(this.#timer);
    for (const one of this.#directories.values()) one.watcher.close();
    this.#directories.clear();
  }

  #lookIn(delay: Milliseconds): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#look();
    }, delay).unref();
  }

  async #look(): Promise<void> {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    try {
      await this.#watchDirectories();
      await this.#compare(await read(this.#paths));
    } finally {
      this.#looking = false;
    }
    if (this.#again) this.#lookIn(this.#times.settle);
    this.#again = false;
  }

  /** A content counts once it has been the same for two looks. */
  async #compare(now: Reading): Promise<void> {
    const before = this.#seen;
    this.#seen = null;
    if (this.#closed || now.content === this.#told?.content) return;
    if (now.content !== before?.content) {
      this.#seen = now;
      this.#lookIn(now.complete ? this.#times.settle : this.#times.absence);
      return;
    }
    this.#told = now;
    await this.#onChange();
  }

  /** Those in which a name is looked up on the way to a file: a watch follows neither links nor renamed directories. */
  async #watchDirectories(): Promise<void> {
    const names = new Map<string, Set<string>>();
    for (const path of this.#paths) {
      for (const { directory, name } of await stepsTo(path)) {
        names.set(directory, (names.get(directory) ?? new Set()).add(name));
      }
    }
    for (const [directory, one] of this.#directories) {
      if (names.has(directory) && (await identityOf(directory)) === one.identity) continue;
      one.watcher.close();
      this.#directories.delete(directory);
    }
    for (const [directory, wanted] of names) {
      const present = this.#directories.get(directory);
      if (present !== undefined) present.names = wanted;
      else await this.#watchDirectory(directory, wanted);
    }
  }

  async #watchDirectory(directory: string, names: ReadonlySet<string>): Promise<void> {
    const identity = await identityOf(directory);
    if (identity === null || this.#closed) return;
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        if (name === null || this.#directories.get(directory)?.names.has(name) !== false)
          this.#lookIn(this.#times.settle);
      });
      // it has gone, or there are too many watches: the scan is left
      watcher.on('error', () => this.#directories.delete(directory));
      this.#directories.set(directory, { watcher, identity, names });
    } catch {
      // as above
    }
  }
}

interface WatchedDirectory {
  readonly watcher: FSWatcher;
  readonly identity: string;
  names: ReadonlySet<string>;
}

interface Reading {
  /** Hashes of all files together, or why they cannot be read. */
  readonly content: string;
  /** Whether no file is missing. */
  readonly complete: boolean;
}

async function read(paths: readonly string[]): Promise<Reading> {
  let complete = true;
  const contents = await Promise.all(
    paths.map(async (path) => {
      try {
        return createHash('sha256')
          .update(await readFile(path))
          .digest('base64');
      } catch (error) {
        const { code = 'error' } = error as NodeJS.ErrnoException;
        complete &&= code !== 'ENOENT';
        return code;
      }
    }),
  );
  return { content: contents.join(' '), complete };
}

async function identityOf(directory: string): Promise<string | null> {
  const found = await stat(directory).catch(() => null);
  return found === null ? null : `${found.dev} ${found.ino}`;
}
