import { milliseconds, type Milliseconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import { BlobStoreError } from '../blob-store-error.js';
import type { BlobStore } from '../blob-store.js';
import { isCompressedForm, plainNameOf } from './compressed-sibling.js';
import type { FileEntry } from './entry-look.js';
import type { FileFacts } from './file-facts.js';
import { takeFile } from './file-taking.js';
import type { LookSchedule } from './look-schedule.js';
import type { Refusals } from './refusals.js';
import type { ReleaseGates } from './release-gates.js';
import { settle, type SettleTimes } from './settling.js';
import { blobsOf, sameFingerprint, type Fingerprint, type SourceFile } from './source-file.js';
import type { DirectoryState, SourceTree } from './source-tree.js';

export interface IntakeParts {
  readonly tree: SourceTree;
  readonly gates: ReleaseGates;
  readonly blobs: BlobStore;
  readonly facts: FileFacts;
  readonly schedule: LookSchedule;
  readonly refusals: Refusals;
  /** Files that the store did not take. */
  readonly notStored: Set<string>;
  readonly times: SettleTimes;
  readonly clock: Clock;
}

/** How soon what could not be stored is tried again. */
const retryAfter = milliseconds(10_000);

/** Brings files into the store when they are finished, and keeps what is known of them. */
export class FileIntake {
  readonly #parts: IntakeParts;
  readonly #root: string;
  readonly #touched: Set<string>;
  #trouble: BlobStoreError | null = null;

  /**
   * @param root where the top really is
   * @param touched takes the directories in which something is other than before
   */
  constructor(parts: IntakeParts, root: string, touched: Set<string>) {
    this.#parts = parts;
    this.#root = root;
    this.#touched = touched;
  }

  /** Why something could not be stored, which is tried again later. */
  get trouble(): BlobStoreError | null {
    return this.#trouble;
  }

  /** Looks at a file. `outside`: its path has come to lead out of the directory. */
  async look(state: DirectoryState, name: string, entry: FileEntry, isMoved: boolean): Promise<'outside' | null> {
    const { gates, schedule, clock, times, blobs } = this.#parts;
    const path = state.path + name;
    const known = this.#knownFile(state, name);
    const isThere =
      known !== undefined &&
      sameFingerprint(known, entry.fingerprint) &&
      blobsOf(known).every((digest) => blobs.has(digest));
    if (isThere && known.place === entry.place) {
      this.forgetLook(state, name);
      return null;
    }
    const isElsewhere = isMoved || (known !== undefined && known.place !== entry.place);
    if (isElsewhere) gates.close(state.path, 'moved');
    const now = { wall: clock.now(), monotonic: clock.monotonic() };
    const settling = settle(entry.fingerprint, known, state.looks.get(name), now, times);
    if (!settling.settled) {
      state.looks.set(name, settling.look);
      schedule.in(settling.wait, state.path, name, now.monotonic);
      if (isElsewhere || gates.kindOf(path) === 'marked') gates.waitFor(path);
      return null;
    }
    return this.#bring(state, name, entry, known);
  }

  async #bring(
    state: DirectoryState,
    name: string,
    { real, place, device, fingerprint }: FileEntry,
    known: SourceFile | undefined,
  ): Promise<'outside' | null> {
    const { blobs, clock, gates, refusals } = this.#parts;
    const path = state.path + name;
    const wanted = { real, place, device, root: this.#root, fingerprint, known };
    const taking = await takeFile(wanted, blobs, clock.now()).catch((error: unknown) => this.#notStored(path, error));
    switch (taking.kind) {
      case 'taken':
        this.#keep(state, name, taking.file);
        this.forgetLook(state, name);
        return null;
      case 'changed':
      case 'not-stored':
        this.#lookAgain(state, name, fingerprint, taking.kind === 'changed' ? this.#parts.times.moved : retryAfter);
        if (gates.of(path) !== undefined) gates.waitFor(path);
        return null;
      case 'outside':
        refusals.add(path, 'outside');
        return 'outside';
      case 'unreadable':
        state.unreadable.set(name, (taking.error as NodeJS.ErrnoException).code ?? String(taking.error));
        this.forgetLook(state, name);
        return null;
    }
  }

  #notStored(path: string, error: unknown): { readonly kind: 'not-stored' } {
    if (!(error instanceof BlobStoreError)) throw error;
    this.#parts.notStored.add(path);
    this.#trouble = error;
    return { kind: 'not-stored' };
  }

  #lookAgain(state: DirectoryState, name: string, fingerprint: Fingerprint, wait: Milliseconds): void {
    const { schedule, clock, times } = this.#parts;
    const since = clock.monotonic();
    state.looks.set(name, { fingerprint, since, needed: milliseconds(3 * times.written) });
    schedule.in(wait, state.path, name, since);
  }

  /** What is in the store of it, from now on also by what was known before the start. */
  #knownFile(state: DirectoryState, name: string): SourceFile | undefined {
    const known = state.files.get(name);
    if (known !== undefined) return known;
    const { facts, blobs } = this.#parts;
    const before = facts.take(state.path + name);
    if (before === undefined || !blobsOf(before).every((digest) => blobs.has(digest))) return undefined;
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
    this.#touched.add(state.path);
  }

  /** The file is as it should be, or not there. */
  forgetLook(state: DirectoryState, name: string): void {
    if (state.looks.delete(name)) this.#touched.add(state.path);
    this.#parts.notStored.delete(state.path + name);
    this.#parts.schedule.cancel(state.path, name);
    this.#parts.gates.finished(state.path + name);
  }

  remove(state: DirectoryState, name: string): void {
    this.forgetLook(state, name);
    const file = state.files.get(name);
    if (file === undefined) return;
    const { blobs, facts } = this.#parts;
    for (const digest of blobsOf(file)) blobs.release(digest);
    state.files.delete(name);
    facts.put({ path: state.path + name, file: null });
    this.#touched.add(state.path);
  }

  /** Finds out which compressed files of a directory are forms of which others. */
  async compareSiblings(path: string): Promise<void> {
    const state = this.#parts.tree.get(path);
    if (state === undefined) return;
    for (const [name, file] of state.files) {
      const plain = state.files.get(plainNameOf(name) ?? '');
      if (plain === undefined || file.formOf?.digest === plain.digest) continue;
      const is = await isCompressedForm(name, file, plain, this.#parts.blobs).catch(unlessUnstored);
      if (is === null) continue;
      const compared = { ...file, formOf: { digest: plain.digest, is } };
      state.files.set(name, compared);
      this.#parts.facts.put({ path: path + name, file: compared });
    }
  }
}

/** Bytes that cannot be read tell nothing: they are compared some other time. */
function unlessUnstored(error: unknown): null {
  if (error instanceof BlobStoreError) return null;
  throw error;
}
