import { join } from 'node:path';
import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { BlobStore } from '../blob-store.js';
import { forEachOf } from '../bounded-work.js';
import { isCompressedForm, plainNameOf } from './compressed-sibling.js';
import { listing, lookAt, type Entry, type ListedKind } from './entry-look.js';
import type { FileFacts } from './file-facts.js';
import { isBelow, takeFile } from './file-taking.js';
import type { LookSchedule, LookWork } from './look-schedule.js';
import type { ReleaseGates } from './release-gates.js';
import { settle, type SettleTimes } from './settling.js';
import { sameFingerprint, type Fingerprint, type SourceFile } from './source-file.js';
import type { CompiledRules } from './source-rules.js';
import { parentOf, type DirectoryState, type SourceTree } from './source-tree.js';
import type { Refusals } from './refusals.js';

/** A directory with this file in it changes as a whole, whenever the file is touched. */
export const setMarker = '.willis-set';

export interface WalkParts {
  readonly tree: SourceTree;
  readonly rules: CompiledRules;
  readonly gates: ReleaseGates;
  readonly blobs: BlobStore;
  readonly facts: FileFacts;
  readonly schedule: LookSchedule;
  readonly refusals: Refusals;
  readonly times: SettleTimes;
  readonly clock: Clock;
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
  #looks = 0;

  /** @param root where the top really is */
  constructor(parts: WalkParts, root: string) {
    this.#parts = parts;
    this.#root = root;
  }

  /** How many names were looked at. */
  get looks(): number {
    return this.#looks;
  }

  /** @throws BlobStoreError full, unusable */
  async run(work: LookWork, isMoved: boolean): Promise<void> {
    for (const [path, names] of work) this.#queue.push({ path, names, isMoved });
    while (this.#queue.length > 0) {
      await forEachOf(this.#take(), directoriesAtOnce, (one) => this.#directory(one));
    }
    for (const path of this.touched) await this.#compareSiblings(path);
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
    const { rules, refusals } = this.#parts;
    const asFile = rules.judgeFile(path);
    const asDirectory = rules.judgeDirectory(`${path}/`);
    if (asFile !== null && (asDirectory !== null || kind === 'file')) {
      refusals.add(path, asFile);
      this.#vanished(state, name);
      return;
    }
    if (kind === 'directory' && asDirectory === null) {
      this.#subdirectory(state, name, join(state.real, name), isMoved);
      return;
    }
    const entry = await lookAt(state.real, name, this.#root);
    const verdict = entry.kind === 'file' ? asFile : entry.kind === 'directory' ? asDirectory : null;
    if (verdict === null) await this.#entry(state, name, entry, isMoved);
    else {
      refusals.add(path, verdict);
      this.#vanished(state, name);
    }
  }

  async #entry(state: DirectoryState, name: string, entry: Entry, isMoved: boolean): Promise<void> {
    const path = state.path + name;
    if (entry.kind === 'unreadable') {
      state.unreadable.set(name, entry.reason);
      this.#forgetLook(state, name);
      return;
    }
    if (state.unreadable.delete(name)) this.touched.add(state.path);
    if (entry.kind === 'file') {
      this.#parts.refusals.remove(path);
      if (state.subdirectories.has(name)) this.#removeDirectory(state, name);
      await this.#file(state, name, entry, isMoved);
    } else if (entry.kind === 'directory') {
      const isLoop = entry.isLink && isBelow(state.real, entry.real);
      if (isLoop || state.path.split('/').length > deepest) {
        this.#parts.refusals.add(path, isLoop ? 'loop' : 'too-deep');
        this.#vanished(state, name);
      } else this.#subdirectory(state, name, entry.real, isMoved);
    } else {
      if (entry.kind === 'refused') this.#parts.refusals.add(path, entry.reason);
      else this.#parts.refusals.remove(path);
      this.#vanished(state, name);
    }
  }

  #subdirectory(state: DirectoryState, name: string, real: string, isMoved: boolean): void {
    const { tree, gates, onDirectory } = this.#parts;
    const path = `${state.path}${name}/`;
    this.#parts.refusals.remove(state.path + name);
    if (state.files.has(name) || state.looks.has(name)) this.#removeFile(state, name);
    const known = tree.get(path);
    if (known?.real === real) {
      // whoever asked for a single name is told of new directories only
      if (isMoved) this.#queue.push({ path, names: 'all', isMoved });
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

  async #file(
    state: DirectoryState,
    name: string,
    entry: Extract<Entry, { kind: 'file' }>,
    isMoved: boolean,
  ): Promise<void> {
    const { gates, schedule, clock, times, blobs } = this.#parts;
    const path = state.path + name;
    const known = this.#knownFile(state, name);
    const isThere = known !== undefined && sameFingerprint(known, entry.fingerprint) && blobs.has(known.digest);
    if (isThere && known.place === entry.place) {
      this.#forgetLook(state, name);
      return;
    }
    const isElsewhere = isMoved || (known !== undefined && known.place !== entry.place);
    if (isElsewhere) gates.close(state.path, 'moved');
    const now = { wall: clock.now(), monotonic: clock.monotonic() };
    const settling = settle(entry.fingerprint, known, state.looks.get(name), now, times);
    if (!settling.settled) {
      state.looks.set(name, settling.look);
      schedule.in(settling.wait, state.path, name, now.monotonic);
      if (isElsewhere || gates.kindOf(path) === 'marked') gates.waitFor(path);
      return;
    }
    await this.#take1(state, name, entry, known);
  }

  async #take1(
    state: DirectoryState,
    name: string,
    { real, place, fingerprint }: Extract<Entry, { kind: 'file' }>,
    known: SourceFile | undefined,
  ): Promise<void> {
    const { blobs, clock, gates, refusals } = this.#parts;
    const path = state.path + name;
    const taking = await takeFile({ real, place, root: this.#root, fingerprint, known }, blobs, clock.now());
    switch (taking.kind) {
      case 'taken':
        this.#keep(state, name, taking.file);
        this.#forgetLook(state, name);
        return;
      case 'changed':
        this.#lookAgain(state, name, fingerprint);
        if (gates.of(path) !== undefined) gates.waitFor(path);
        return;
      case 'outside':
        refusals.add(path, 'outside');
        this.#vanished(state, name);
        return;
      case 'unreadable':
        state.unreadable.set(name, (taking.error as NodeJS.ErrnoException).code ?? String(taking.error));
        this.#forgetLook(state, name);
    }
  }

  #lookAgain(state: DirectoryState, name: string, fingerprint: Fingerprint): void {
    const { schedule, clock, times } = this.#parts;
    const since = clock.monotonic();
    state.looks.set(name, { fingerprint, since, needed: milliseconds(3 * times.written) });
    schedule.in(times.moved, state.path, name, since);
  }

  /** What is in the store of it, from now on also by what was known before the start. */
  #knownFile(state: DirectoryState, name: string): SourceFile | undefined {
    const known = state.files.get(name);
    if (known !== undefined) return known;
    const { facts, blobs } = this.#parts;
    const before = facts.take(state.path + name);
    if (before === undefined || !blobs.has(before.digest) || !blobs.has(listOf(before))) return undefined;
    this.#set(state, name, before);
    return before;
  }

  #keep(state: DirectoryState, name: string, file: SourceFile): void {
    this.#set(state, name, file);
    this.#parts.facts.put({ path: state.path + name, file });
  }

  #set(state: DirectoryState, name: string, file: SourceFile): void {
    const { blobs } = this.#parts;
    const before = state.files.get(name);
    for (const digest of blobsOf(file)) blobs.retain(digest);
    if (before !== undefined) for (const digest of blobsOf(before)) blobs.release(digest);
    state.files.set(name, file);
    this.touched.add(state.path);
  }

  #forgetLook(state: DirectoryState, name: string): void {
    if (state.looks.delete(name)) this.touched.add(state.path);
    this.#parts.schedule.cancel(state.path, name);
    this.#parts.gates.finished(state.path + name);
  }

  #vanished(state: DirectoryState, name: string): void {
    if (state.unreadable.delete(name)) this.touched.add(state.path);
    this.#removeFile(state, name);
    if (state.subdirectories.has(name)) this.#removeDirectory(state, name);
  }

  #removeFile(state: DirectoryState, name: string): void {
    this.#forgetLook(state, name);
    const file = state.files.get(name);
    if (file === undefined) return;
    const { blobs, facts } = this.#parts;
    for (const digest of blobsOf(file)) blobs.release(digest);
    state.files.delete(name);
    facts.put({ path: state.path + name, file: null });
    this.touched.add(state.path);
  }

  #removeDirectory(state: DirectoryState, name: string): void {
    const { tree, onDirectoryGone } = this.#parts;
    const path = `${state.path}${name}/`;
    for (const gone of tree.below(path)) {
      for (const file of new Set([...gone.files.keys(), ...gone.looks.keys()])) this.#removeFile(gone, file);
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

  async #compareSiblings(path: string): Promise<void> {
    const state = this.#parts.tree.get(path);
    if (state === undefined) return;
    for (const [name, file] of state.files) {
      const plain = state.files.get(plainNameOf(name) ?? '');
      if (plain === undefined || file.formOf?.digest === plain.digest) continue;
      const is = await isCompressedForm(name, file, plain, this.#parts.blobs);
      const compared = { ...file, formOf: { digest: plain.digest, is } };
      state.files.set(name, compared);
      this.#parts.facts.put({ path: path + name, file: compared });
    }
  }
}

/** How soon what could not be stored is tried again. */
export const retryAfter: Milliseconds = milliseconds(10_000);

const deepest = 64;

const listOf = ({ digest, blocks, size }: SourceFile): SourceFile['digest'] => (size > oneBlock ? blocks : digest);
const blobsOf = (file: SourceFile): SourceFile['digest'][] =>
  file.size > oneBlock ? [file.digest, file.blocks] : [file.digest];
const oneBlock = 65_536;
