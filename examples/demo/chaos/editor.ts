import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from './chance.js';
import type { WrittenFiles } from './written-files.js';

export interface EditorOptions {
  readonly files: WrittenFiles;
  readonly chance: Chance;
  /** Whether there is anybody who would publish it. */
  readonly mayEdit: () => boolean;
}

/** Edits one file after the other. */
export class Editor {
  edits = 0;
  readonly #options: EditorOptions;

  constructor(options: EditorOptions) {
    this.#options = options;
  }

  async run(enough: AbortSignal): Promise<void> {
    const { files, chance, mayEdit } = this.#options;
    for (;;) {
      await pause(chance.between(200, 1200), undefined, { signal: enough }).catch(() => undefined);
      if (enough.aborted) return;
      if (!mayEdit()) continue;
      await files.edit(chance.pick(files.all).path);
      this.edits += 1;
    }
  }
}
