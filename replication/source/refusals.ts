import type { RefusedEntry } from './entry-look.js';
import type { Unpublished } from './source-rules.js';

export type RefusalReason = Unpublished | RefusedEntry | 'loop' | 'too-deep' | 'no-record';

/** So many are remembered by name. */
const mostNamed = 1000;

/** What lies in a directory and is not published, and why. Dotfiles and temporaries, of which nobody wonders, are not named. */
export class Refusals {
  readonly #named = new Map<string, RefusalReason>();

  add(path: string, reason: RefusalReason): void {
    if (reason === 'hidden' || reason === 'temporary') return;
    if (this.#named.has(path) || this.#named.size < mostNamed) this.#named.set(path, reason);
  }

  remove(path: string): void {
    if (this.#named.size > 0) this.#named.delete(path);
  }

  clear(): void {
    this.#named.clear();
  }

  entries(): readonly (readonly [path: string, reason: RefusalReason])[] {
    return [...this.#named];
  }
}
