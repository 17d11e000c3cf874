import type { Bytes } from '../../../config/units.js';
import type { Descriptor, FileSystem } from './file-system.js';
import { errorCode } from './disk-fault.js';

interface OpenFile {
  readonly descriptor: Promise<Descriptor>;
  users: number;
}

/** Files that are open for reading: so many at most stay open for the next reader. */
export class OpenFiles {
  readonly #files: FileSystem;
  readonly #most: number;
  /** The one that was used longest ago first. */
  readonly #open = new Map<string, OpenFile>();

  constructor(files: FileSystem, most: number) {
    this.#files = files;
    this.#most = most;
  }

  get count(): number {
    return this.#open.size;
  }

  /** As `FileSystem.read`, of the file at a path. */
  async read(path: string, into: Buffer, position: Bytes): Promise<Bytes> {
    const file = this.#use(path);
    try {
      return await this.#files.read(await file.descriptor, into, position);
    } catch (error) {
      if (this.#open.get(path) === file) this.#open.delete(path);
      throw error;
    } finally {
      file.users--;
      if (file.users === 0 && this.#open.get(path) !== file) this.#close(file);
      else this.#closeIdle(this.#most);
    }
  }

  /** To be called before a file is deleted, so that its room is given back as soon as nobody reads. */
  forget(path: string): void {
    const file = this.#open.get(path);
    if (file === undefined) return;
    this.#open.delete(path);
    if (file.users === 0) this.#close(file);
  }

  closeIdle(): void {
    this.#closeIdle(0);
  }

  #use(path: string): OpenFile {
    const file = this.#open.get(path) ?? { descriptor: this.#openFile(path), users: 0 };
    file.users++;
    this.#open.delete(path);
    this.#open.set(path, file);
    return file;
  }

  async #openFile(path: string): Promise<Descriptor> {
    try {
      return await this.#files.open(path, 'read');
    } catch (error) {
      if (!['EMFILE', 'ENFILE'].includes(errorCode(error))) throw error;
      this.closeIdle();
      return this.#files.open(path, 'read');
    }
  }

  #closeIdle(most: number): void {
    for (const [path, file] of this.#open) {
      if (this.#open.size <= most) return;
      if (file.users > 0) continue;
      this.#open.delete(path);
      this.#close(file);
    }
  }

  #close(file: OpenFile): void {
    // one that could not be opened need not be closed, and a failure to close what was only read loses nothing
    file.descriptor.then((descriptor) => this.#files.close(descriptor)).catch(() => undefined);
  }
}
