import { readFile, stat } from 'node:fs/promises';
import type { Bytes, Milliseconds } from '../config/units.js';
import { replaceFile } from '../proxy/base/replaced-file.js';
import { NotBelieved } from './trust/not-believed.js';

export interface RememberedFileOptions {
  readonly path: string;
  /** Whether there is no such file yet: it is written even if nothing changes. */
  readonly isNew?: boolean;
  /** Grows with each change of what is remembered. */
  readonly changes: () => number;
  /** All of what is remembered now. */
  readonly text: () => string;
  /** How often it is looked whether anything has changed, which is then written. */
  readonly every: Milliseconds;
  /** It could not be written, and is tried again the next time. */
  readonly onFailure: (error: unknown) => void;
}

/** Keeps a file in step with what changes in memory: now and then, and at the end. */
export class RememberedFile {
  readonly #options: RememberedFileOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Null if it is to be written in any case. */
  #written: number | null;
  /** What was begun last, so that one is written after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: RememberedFileOptions) {
    this.#options = options;
    this.#written = options.isNew === true ? null : options.changes();
  }

  /** All that is remembered now is what was read from the file. */
  takenOver(): void {
    this.#written = this.#options.changes();
  }

  /** From now on changes are written. */
  begin(): void {
    this.#timer = setInterval(() => void this.write(), this.#options.every).unref();
  }

  /** Writes if anything has changed. */
  write(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#write());
    return this.#turn;
  }

  /** Writes for the last time. Idempotent. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }

  async #write(): Promise<void> {
    const { path, changes, text, onFailure } = this.#options;
    const now = changes();
    if (now === this.#written) return;
    try {
      await replaceFile(path, text());
      this.#written = now;
    } catch (error) {
      onFailure(error);
    }
  }
}

/**
 * What is in a file that is read whole.
 * @returns null if there is none
 * @throws NotBelieved if it is longer than that; as the system does if it cannot be read
 */
export async function readRemembered(path: string, longest: Bytes, what: string): Promise<string | null> {
  try {
    const { size } = await stat(path);
    if (size > longest) throw new NotBelieved('too-large', `${what}: more than ${longest} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
