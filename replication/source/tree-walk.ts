import { join } from 'node:path';
import type { BlobStoreError } from '../blob-store-error.js';
import { forEachOf } from '../bounded-work.js';
import { isLink, listing, lookAt, type Entry, type ListedKind } from './entry-look.js';
import { FileIntake, type IntakeParts } from './file-intake.js';
import { isBelow } from './file-taking.js';
import type { LookWork } from './look-schedule.js';
import { sameFingerprint } from './source-file.js';
import type { CompiledRules } from './source-rules.js';
import { parentOf, type DirectoryState } from './source-tree.js';

/** A directory with this file in it changes as a whole, whenever the file is touched. */
export const setMarker = '.willis-set';

export interface WalkParts extends IntakeParts {
  readonly rules: CompiledRules;
  /** Somebody should say when something happens in this directory. */
  readonly onDirectory: (path: string, real: string) => void;
  readonly onDirectoryGone: (path: string) => void;
}

interface DirectoryWork {
  readonly path: string;
  readonly names: ReadonlySet<string> | 'all';
  /** The directory is not where it was. */
  readonly isMoved: boolean;
}

const directoriesAtOnce = 4;
const namesAtOnce = 32;

/** Looks at directories and files, and brings what is finished into the store. */
export class TreeWalk {
  readonly #parts: WalkParts;
  readonly #root: string;
  readonly #queue: DirectoryWork[] = [];
  /** Directories in which something is other than before. */
  readonly touched = new Set<string>();
  readonly #files: FileIntake;
  #looks = 0;

  /** @param root where the top really is */
  constructor(parts: WalkParts, root: string) {
    this.#parts = parts;
    this.#root = root;
    this.#files = new FileIntake(parts, root, this.touched);
  }

  /** How many names were looked at. */
  get looks(): number {
    return this.#looks;
  }

  /** Why something could not be stored, which is tried again later. */
  get trouble(): BlobStoreError | null {
    return this.#files.trouble;
  }

  async run(work: LookWork, isMoved: boolean): Promise<void> {
    for (const [path, names] of work) this.#queue.push({ path, names, isMoved });
    while (this.#queue.length > 0) {
      await forEachOf(this.#take(), directoriesAtOnce, (one) => this.#directory(one));
    }
    for (const path of this.touched) await this.#files.compareSiblings(path);
  }

  *#take(): Generator<DirectoryWork> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) yield next;
  }

  async #directory({ path, names, isMoved }: DirectoryWork): Promise<void> {
    const state = this.#parts.tree.get(path);
    if (state === undefined) return;
    if (names !== 'all') {
      await forEachOf(names, namesAtOnce, (name) => this.#name(state, name, null, isMoved));
      return;
    }
    const listed = await this.#list(state);
    if (listed === null) return;
    await forEachOf(listed, namesAtOnce, ([name, kind]) => this.#name(state, name, kind, isMoved));
    for (const known of [state.files, state.looks, state.subdirectories, state.unreadable]) {
      for (const name of known.keys()) if (!listed.has(name)) this.#vanished(state, name);
    }
    if (state.marker !== null && !listed.has(setMarker)) this.#unmark(state);
  }

  async #list(state: DirectoryState): Promise<Map<string, ListedKind> | null> {
    try {
      const listed = await listing(state.real);
      if (state.unreadable.delete('.')) this.touched.add(state.path);
      return listed;
    } catch (error) {
      const { code = 'error' } = error as NodeJS.ErrnoException;
      const above = parentOf(state.path);
      // whether it is gone, the directory above tells
      if ((code === 'ENOENT' || code === 'ENOTDIR') && above !== undefined) {
        const name = state.path.slice(above.length, -1);
        this.#queue.push({ path: above, names: new Set([name]), isMoved: false });
      } else state.unreadable.set('.', code);
      return null;
    }
  }

  async #name(state: DirectoryState, name: string, kind: ListedKind | null, isMoved: boolean): Promise<void> {
    this.#looks++;
    const path = state.path + name;
    if (name === setMarker) {
      await this.#marker(state);
      return;
    }
    if (kind !== 'directory' && !isMoved && (await this.#isAsKnown(state, name))) return;
    const { rules, refusals } = this.#parts;
    const asFile = rules.judgeFile(path);
    const asDirectory = rules.judgeDirectory(`${path}/`);
    if (asFile !== null && (asDirectory !== null || kind === 'file')) {
      refusals.add(path, asFile);
      this.#vanished(state, name);
      // files may be links through it, as where configuration is mounted
      if (kind === null && (await isLink(state.real, name))) this.#listLater(state.path);
      return;
    }
    if (kind === 'directory' && asDirectory === null) {
      this.#subdirectory(state, name, join(state.real, name), isMoved, false);
      return;
    }
    const entry = await lookAt(state.real, name, this.#root);
    const verdict = entry.kind === 'file' ? asFile : entry.kind === 'directory' ? asDirectory : null;
    if (verdict === null) await this.#entry(state, name, entry, isMoved, kind === null);
    else {
      refusals.add(path, verdict);
      this.#vanished(state, name);
    }
  }

  /** Most files are, whenever they are looked at. */
  async #isAsKnown(state: DirectoryState, name: string): Promise<boolean> {
    const known = state.files.get(name);
    if (known === undefined || state.looks.has(name) || !this.#parts.blobs.has(known.digest)) return false;
    const entry = await lookAt(state.real, name, this.#root);
    return entry.kind === 'file' && sameFingerprint(known, entry.fingerprint) && known.place === entry.place;
  }

  async #entry(state: DirectoryState, name: string, entry: Entry, isMoved: boolean, isNews: boolean): Promise<void> {
    const path = state.path + name;
    if (entry.kind === 'unreadable') {
      state.unreadable.set(name, entry.reason);
      this.#files.forgetLook(state, name);
      return;
    }
    if (state.unreadable.delete(name)) this.touched.add(state.path);
    if (entry.kind === 'file') {
      this.#parts.refusals.remove(path);
      if (state.subdirectories.has(name)) this.#removeDirectory(state, name);
      if ((await this.#files.look(state, name, entry, isMoved)) === 'outside') this.#vanished(state, name);
    } else if (entry.kind === 'directory') {
      const isLoop = entry.isLink && isBelow(state.real, entry.real);
      if (isLoop || state.path.split('/').length > deepest) {
        this.#parts.refusals.add(path, isLoop ? 'loop' : 'too-deep');
        this.#vanished(state, name);
      } else this.#subdirectory(state, name, entry.real, isMoved, isNews);
    } else {
      if (entry.kind === 'refused') this.#parts.refusals.add(path, entry.reason);
      else this.#parts.refusals.remove(path);
      this.#vanished(state, name);
    }
  }

  /** @param isNews something has happened to the directory itself: it may be another one of the same name */
  #subdirectory(state: DirectoryState, name: string, real: string, isMoved: boolean, isNews: boolean): void {
    const { tree, gates, onDirectory } = this.#parts;
    const path = `${state.path}${name}/`;
    this.#parts.refusals.remove(state.path + name);
    if (state.files.has(name) || state.looks.has(name)) this.#files.remove(state, name);
    const known = tree.get(path);
    if (known?.real === real) {
      if (isMoved) this.#queue.push({ path, names: 'all', isMoved });
      else if (isNews) this.#meetAgain(path);
      return;
    }
    const isElsewhere = isMoved || known !== undefined;
    if (isElsewhere) gates.close(path, 'moved');
    if (known === undefined) {
      tree.add(path, real);
      state.subdirectories.add(name);
      this.touched.add(state.path);
    } else known.real = real;
    onDirectory(path, real);
    this.#queue.push({ path, names: 'all', isMoved: isElsewhere });
  }

  #meetAgain(path: string): void {
    for (const one of this.#parts.tree.below(path)) {
      this.#parts.onDirectory(one.path, one.real);
      this.#queue.push({ path: one.path, names: 'all', isMoved: false });
    }
  }

  #listLater(path: string): void {
    if (!this.#queue.some((one) => one.path === path && one.names === 'all')) {
      this.#queue.push({ path, names: 'all', isMoved: false });
    }
  }

  #vanished(state: DirectoryState, name: string): void {
    if (state.unreadable.delete(name)) this.touched.add(state.path);
    this.#files.remove(state, name);
    if (state.subdirectories.has(name)) this.#removeDirectory(state, name);
  }

  #removeDirectory(state: DirectoryState, name: string): void {
    const { tree, onDirectoryGone } = this.#parts;
    const path = `${state.path}${name}/`;
    for (const gone of tree.below(path)) {
      for (const file of new Set([...gone.files.keys(), ...gone.looks.keys()])) this.#files.remove(gone, file);
      if (gone.marker !== null) this.#unmark(gone);
      this.touched.add(gone.path);
    }
    for (const { path: gone } of tree.remove(path)) onDirectoryGone(gone);
    state.subdirectories.delete(name);
    this.touched.add(state.path);
  }

  async #marker(state: DirectoryState): Promise<void> {
    const entry = await lookAt(state.real, setMarker, this.#root);
    if (entry.kind !== 'file') {
      if (state.marker !== null) this.#unmark(state);
      return;
    }
    const { facts, gates } = this.#parts;
    const published = facts.marker(state.path);
    const isSeen = state.marker !== null && sameFingerprint(state.marker, entry.fingerprint);
    state.marker = entry.fingerprint;
    if (isSeen || (published !== undefined && sameFingerprint(published, entry.fingerprint))) return;
    gates.close(state.path, 'marked');
    for (const { path } of this.#parts.tree.below(state.path)) {
      this.#queue.push({ path, names: 'all', isMoved: false });
      this.touched.add(path);
    }
  }

  #unmark(state: DirectoryState): void {
    state.marker = null;
    this.#parts.facts.put({ path: state.path, marker: null });
    for (const { path } of this.#parts.tree.below(state.path)) this.touched.add(path);
  }
}

const deepest = 64;
