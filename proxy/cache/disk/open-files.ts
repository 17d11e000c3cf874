import type { Bytes } from '../../../config/units.js';
import type { Descriptor, FileSystem } from './file-system.js';
import { errorCode } from './disk-fault.js';

interface OpenFile {
  readonly opening: Promise<Descriptor> | null;
  /** Null as long as it is being opened, and if it could not be. */
  descriptor: Descriptor | null;
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
      return await this.#files.read(file.descriptor ?? (await (file.opening as Promise<Descriptor>)), into, position);
    } catch (error) {
      if (this.#open.get(path) === file) this.#open.delete(path);
      throw error;
    } finally {
      file.users--;
      if (file.users === 0 && this.#open.get(path) !== file) this.#close(file);
      else this.#letGo(this.#most, this.#close);
    }
  }

  /** The same at once; null for a file that is being opened. @throws what the system says */
  readNow(path: string, into: Buffer, position: Bytes): Bytes | null {
    const file = this.#open.get(path) ?? { opening: null, descriptor: this.#openNow(path), users: 0 };
    if (file.descriptor === null) return null;
    this.#open.delete(path);
    try {
      const read = this.#files.readNow(file.descriptor, into, position);
      this.#open.set(path, file);
      return read;
    } finally {
      if (file.users === 0 && this.#open.get(path) !== file) this.#closeNow(file);
      else this.#letGo(this.#most, this.#closeNow);
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
    this.#letGo(0, this.#close);
  }

  #use(path: string): OpenFile {
    const file = this.#open.get(path) ?? this.#beginOpening(path);
    file.users++;
    this.#open.delete(path);
    this.#open.set(path, file);
    return file;
  }

  #beginOpening(path: string): OpenFile {
    const opening = this.#openFile(path).then((descriptor) => (file.descriptor = descriptor));
    const file: OpenFile = { opening, descriptor: null, users: 0 };
    return file;
  }

  async #openFile(path: string): Promise<Descriptor> {
    try {
      return await this.#files.open(path, 'read');
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
      this.closeIdle();
      return this.#files.open(path, 'read');
    }
  }

  #openNow(path: string): Descriptor {
    try {
      return this.#files.openNow(path);
    } catch (error) {
      if (!isOutOfDescriptors(error)) throw error;
      this.#letGo(0, this.#closeNow);
      return this.#files.openNow(path);
    }
  }

  /** Closes those that nobody reads, the one that was used longest ago first, until no more than so many are open. */
  #letGo(most: number, close: (file: OpenFile) => void): void {
    for (const [path, file] of this.#open) {
      if (this.#open.size <= most) return;
      if (file.users > 0) continue;
      this.#open.delete(path);
      close(file);
    }
  }

  // what could not be opened need not be closed, and a failure to close what was only read loses nothing

  readonly #close = ({ descriptor, opening }: OpenFile): void => {
    const open = descriptor === null ? opening : Promise.resolve(descriptor);
    open?.then((known) => this.#files.close(known)).catch(() => undefined);
  };

  readonly #closeNow = ({ descriptor }: OpenFile): void => {
    try {
      if (descriptor !== null) this.#files.closeNow(descriptor);
    } catch {
      return;
    }
  };
}

const isOutOfDescriptors = (error: unknown): boolean => ['EMFILE', 'ENFILE'].includes(errorCode(error));
