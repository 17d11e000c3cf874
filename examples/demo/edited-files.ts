import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EpochMs } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { DirectoryWatch } from '../../replication/source/directory-watch.js';

/** A file of the site that was changed, as the primary has published it. */
export interface Edit {
  readonly file: string;
  readonly isRemoved: boolean;
  /** When it was touched last. */
  readonly at: EpochMs;
}

/** Knows which files of the site were touched, and which of them the primary has published since. */
export class EditedFiles {
  readonly #root: string;
  readonly #url: string;
  readonly #clock: Clock;
  readonly #watch: DirectoryWatch;
  readonly #touched = new Map<string, EpochMs>();
  /** What the primary had at each file; null for nothing. */
  readonly #known = new Map<string, string | null>();

  private constructor(root: string, url: string, clock: Clock) {
    this.#root = root;
    this.#url = url;
    this.#clock = clock;
    this.#watch = new DirectoryWatch({
      onNews: (directory, name) => void this.#look(name === null ? directory : join(directory, name)),
      onTrouble: () => undefined,
    });
  }

  /** @param url of the primary, in step with the directory */
  static async watch(directory: string, url: string, clock: Clock): Promise<EditedFiles> {
    const files = new EditedFiles(directory, url, clock);
    await files.#look('');
    for (const file of files.#touched.keys()) files.#known.set(file, await files.#published(file));
    files.#touched.clear();
    return files;
  }

  /** What is published otherwise than when this was asked before. */
  async published(signal: AbortSignal): Promise<readonly Edit[]> {
    const edits: Edit[] = [];
    for (const [file, at] of [...this.#touched]) {
      const now = await this.#published(file, signal);
      const isChanged = now !== (this.#known.get(file) ?? null);
      if (isChanged) edits.push({ file, isRemoved: now === null, at });
      // what was not published in all that time is no document: a temporary file of an editor, for one
      if ((isChanged || this.#clock.now() - at > forgottenAfter) && this.#touched.get(file) === at) {
        this.#touched.delete(file);
      }
      if (isChanged) this.#known.set(file, now);
    }
    return edits;
  }

  close(): void {
    this.#watch.close();
  }

  /** Something has happened at that path: a file was touched, or there is a directory. */
  async #look(path: string): Promise<void> {
    const at = this.#clock.now();
    const inside = await readdir(join(this.#root, path), { withFileTypes: true }).catch(() => null);
    if (inside === null) {
      this.#touch(path, at);
      return;
    }
    this.#watch.watch(path, join(this.#root, path));
    for (const entry of inside) await this.#look(join(path, entry.name));
  }

  #touch(file: string, at: EpochMs): void {
    this.#touched.delete(file);
    this.#touched.set(file, at);
    const [oldest] = this.#touched.keys();
    if (this.#touched.size > mostTouched && oldest !== undefined) this.#touched.delete(oldest);
  }

  async #published(file: string, signal?: AbortSignal): Promise<string | null> {
    const path = file
      .replace(/(^|\/)index\.html$/, '$1')
      .split('/')
      .map(encodeURIComponent)
      .join('/');
    const answer = await fetch(`${this.#url}/${path}`, { method: 'HEAD', redirect: 'manual', signal: signal ?? null });
    return answer.status === 404 && file !== '404.html' ? null : `${answer.status} ${answer.headers.get('etag') ?? ''}`;
  }
}

const mostTouched = 1000;
const forgottenAfter = 10_000;
