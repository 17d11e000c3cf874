import { join } from 'node:path';
import { bytes, type Bytes } from '../../../config/units.js';
import { errorCode } from './disk-fault.js';
import type { FileSystem } from './file-system.js';
import { OpenFiles } from './open-files.js';
import { PartlyLoaded } from './partly-loaded.js';
import type { Segment } from './segment.js';

/** How many files stay open for the next reader. */
const mostOpen = 128;
const segmentName = /^[0-9a-z]{12,40}$/;

export const isSegmentName = (name: string): boolean => segmentName.test(name);

/** A segment that nothing refers to any more. */
export interface Grave {
  readonly id: string;
  readonly size: Bytes;
  /** Whether its bytes are in the index. */
  readonly inline: boolean;
}

/**
 * The files of segments under a directory. A segment that nothing refers to any more becomes a grave: whoever found it before
 * can read it still, until its room is needed or it has grown old. One that is being read is not deleted.
 */
export class SegmentFiles {
  readonly partlyLoaded = new PartlyLoaded();
  readonly #directory: string;
  readonly #files: FileSystem;
  readonly #open: OpenFiles;
  readonly #readers = new Map<string, number>();
  /** The oldest first. */
  readonly #graves = new Map<string, Grave>();
  #graveBytes = 0;

  constructor(directory: string, files: FileSystem) {
    this.#directory = directory;
    this.#files = files;
    this.#open = new OpenFiles(files, mostOpen);
  }

  pathOf(id: string): string {
    return join(this.#directory, 'bodies', folderOf(id), id);
  }

  temporaryPathOf(id: string): string {
    return join(this.#directory, 'tmp', id);
  }

  /** Gives a file that was written its place. */
  async place(id: string): Promise<void> {
    const path = this.pathOf(id);
    try {
      await this.#files.rename(this.temporaryPathOf(id), path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      await this.#files.makeDirectory(join(this.#directory, 'bodies', folderOf(id)));
      await this.#files.rename(this.temporaryPathOf(id), path);
    }
  }

  read(id: string, into: Buffer, position: Bytes): Promise<Bytes> {
    return this.#open.read(this.pathOf(id), into, position);
  }

  /** The same at once; null if that cannot be. @throws what the system says */
  readNow(id: string, into: Buffer, position: Bytes): Bytes | null {
    return this.#open.readNow(this.pathOf(id), into, position);
  }

  /** Until `release` these are not deleted. */
  hold(segments: readonly Segment[]): void {
    for (const { id } of segments) this.#readers.set(id, (this.#readers.get(id) ?? 0) + 1);
  }

  release(segments: readonly Segment[]): void {
    for (const { id } of segments) {
      const left = (this.#readers.get(id) ?? 0) - 1;
      if (left > 0) this.#readers.set(id, left);
      else this.#readers.delete(id);
    }
  }

  isHeld(id: string): boolean {
    return this.#readers.has(id);
  }

  /** Room that is taken by what nothing refers to. */
  get graveBytes(): Bytes {
    return bytes(this.#graveBytes);
  }

  get graves(): number {
    return this.#graves.size;
  }

  bury(grave: Grave): void {
    if (this.#graves.has(grave.id)) return;
    this.#graves.set(grave.id, grave);
    this.#graveBytes += grave.size;
  }

  isBuried(id: string): boolean {
    return this.#graves.has(id);
  }

  /** Something refers to it again. */
  raise(id: string): void {
    this.#graveBytes -= this.#graves.get(id)?.size ?? 0;
    this.#graves.delete(id);
  }

  /** Deletes the file of the oldest grave that nobody reads; gives the grave, null if there is none. */
  async clearGrave(): Promise<Grave | null> {
    for (const grave of this.#graves.values()) {
      const { id, size, inline } = grave;
      if (this.#readers.has(id)) continue;
      this.#graves.delete(id);
      try {
        if (!inline) await this.delete(id);
      } finally {
        this.#graveBytes -= size;
      }
      return grave;
    }
    return null;
  }

  /** Deletes a file that nobody knows of yet, or any more. That it is not there is no error. */
  async delete(id: string): Promise<void> {
    const path = this.pathOf(id);
    this.#open.forget(path);
    await this.#unlink(path);
  }

  deleteTemporary(id: string): Promise<void> {
    return this.#unlink(this.temporaryPathOf(id));
  }

  close(): void {
    this.#open.closeIdle();
  }

  /** The names of all files that look like segments. */
  async *names(): AsyncGenerator<string> {
    for (let folder = 0; folder < folderCount; folder++) yield* this.namesIn(folder);
  }

  /** The same of one of the folders. */
  async *namesIn(folder: number): AsyncGenerator<string> {
    const name = nameOfFolder(folder);
    try {
      for await (const id of this.#files.names(join(this.#directory, 'bodies', name)))
        if (isSegmentName(id) && folderOf(id) === name) yield id;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }

  async #unlink(path: string): Promise<void> {
    try {
      await this.#files.unlink(path);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }
}

/** So that no folder has too many files; each is made when it is needed. */
export const folderCount = 256;

const nameOfFolder = (folder: number): string => folder.toString(16).padStart(2, '0');

/** The names end in a count. */
const folderOf = (id: string): string => nameOfFolder(parseInt(id.slice(-3), 36) % folderCount);
