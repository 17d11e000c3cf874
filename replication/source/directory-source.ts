import { setImmediate } from 'node:timers/promises';
import { elapsedMonotonic, milliseconds, type Milliseconds } from '../../config/units.js';
import type { Clock } from '../../proxy/base/clock.js';
import type { Logger } from '../../proxy/base/logger.js';
import type { BlobStore } from '../blob-store.js';
import type { Publication } from '../publication.js';
import { DirectoryWatch } from './directory-watch.js';
import { DocumentEdits } from './document-edits.js';
import { EditPublisher } from './edit-publisher.js';
import { FileFacts } from './file-facts.js';
import { LookAgenda } from './look-agenda.js';
import type { LookWork } from './look-schedule.js';
import { PublishedPaths } from './published-paths.js';
import { RecordCheck } from './record-check.js';
import { Refusals, type RefusalReason } from './refusals.js';
import { ReleaseGates } from './release-gates.js';
import { usualSettleTimes, type SettleTimes } from './settling.js';
import { findRoot, isOfWay, watchWay, type SourceRoot } from './source-root.js';
import { SourceReports, type SourceProblem } from './source-reports.js';
import { blobsOf, type SourceFile } from './source-file.js';
import type { CompiledRules } from './source-rules.js';
import { SourceTree } from './source-tree.js';
import { TreeWalk, type WalkParts } from './tree-walk.js';
import { WakeTimer } from './wake-timer.js';

export interface DirectorySourceOptions {
  readonly directory: string;
  readonly rules: CompiledRules;
  readonly publication: Publication;
  readonly blobs: BlobStore;
  /** File for what is known of files. */
  readonly factsPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often to look at everything without having been told of anything. */
  readonly scanEvery: Milliseconds;
  /** Whether to have the system tell of what happens; by default so. */
  readonly watch?: boolean;
  readonly times?: SettleTimes;
  /** Called when what was finished at a look is published. */
  readonly onLooked?: () => void;
}

/** What is to be known of a source. */
export interface SourceStatus {
  readonly problem: SourceProblem | null;
  /** Removals that wait for `allowRemovals`. */
  readonly heldRemovals: number;
  readonly refused: readonly (readonly [path: string, reason: RefusalReason])[];
  /** Files that are being written, it seems. */
  readonly unsettled: readonly string[];
  readonly unreadable: readonly string[];
  readonly watchedDirectories: number;
}

const rootRetry = milliseconds(1000);
const publishRetry = milliseconds(10_000);
const releasedAtOnce = 1000;

/**
 * Publishes what lies in a directory, and what changes there. Told of changes by the system where it can be, and looks at
 * everything every so often; decides by what is there and not by what it was told.
 */
export class DirectorySource {
  readonly #options: DirectorySourceOptions;
  readonly #tree = new SourceTree();
  readonly #gates = new ReleaseGates();
  readonly #refusals = new Refusals();
  readonly #notStored = new Set<string>();
  readonly #paths = new PublishedPaths();
  readonly #facts: FileFacts;
  readonly #watch: DirectoryWatch;
  readonly #edits: DocumentEdits;
  readonly #publisher: EditPublisher;
  readonly #check: RecordCheck;
  readonly #reports: SourceReports;
  readonly #times: SettleTimes;
  readonly #timer: WakeTimer;
  readonly #agenda: LookAgenda;
  #root: SourceRoot | null = null;
  #way: string[] = [];
  #cycle: Promise<void> = Promise.resolve();
  #isStarted = false;
  /** News were lost: everything is to be looked at. */
  #isBehind = false;
  /** What was seen will be published when some time has passed. */
  #isMoreToCome = false;
  readonly #waiting: (() => void)[] = [];
  #stopped = false;

  private constructor(options: DirectorySourceOptions, facts: FileFacts) {
    this.#options = options;
    this.#facts = facts;
    this.#times = options.times ?? usualSettleTimes;
    this.#timer = new WakeTimer(options.clock, () => void this.lookAtNews());
    const { clock, scanEvery } = options;
    this.#agenda = new LookAgenda({ tree: this.#tree, clock, timer: this.#timer, scanEvery });
    this.#reports = new SourceReports(options.logger, options.directory);
    this.#watch = new DirectoryWatch({
      onNews: (directory, name) => this.#agenda.hear(directory, name),
      onTrouble: (error) => this.#reports.unwatchable(error, scanEvery),
    });
    this.#paths.apply(options.publication.list.changes());
    this.#edits = new DocumentEdits({
      tree: this.#tree,
      rules: options.rules,
      gates: this.#gates,
      publication: options.publication,
      paths: this.#paths,
      missing: this.#times.missing,
      breathe: setImmediate,
    });
    this.#check = new RecordCheck(options.publication, this.#reports);
    this.#publisher = new EditPublisher({
      ...{ edits: this.#edits, publication: options.publication, paths: this.#paths, reports: this.#reports },
      check: this.#check,
      onReleased: (gate) => this.#release(gate),
    });
  }

  /** Nothing is looked at before `start` or `scan`. */
  static async open(options: DirectorySourceOptions): Promise<DirectorySource> {
    const { facts, found } = await FileFacts.open(options.factsPath);
    const source = new DirectorySource(options, facts);
    if (found.state === 'damaged') source.#reports.factsLost(found.reason);
    return source;
  }

  /** Begins to look, and goes on until `stop`. Idempotent. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#timer.start();
    void this.scan();
  }

  /** Looks at everything now. Fulfilled when what is finished is published. */
  scan(): Promise<void> {
    return this.#next(async () => {
      await this.#look(this.#agenda.takeAll());
      this.#agenda.scanned();
    });
  }

  /** Whether there is what will be published when it has been as it is for long enough: files being written, or missing. */
  get isUnfinished(): boolean {
    return this.#isMoreToCome || [...this.#tree.all()].some(({ looks }) => looks.size > 0);
  }

  /** Fulfilled when something was looked at the next time, or nothing will be any more. */
  nextLook(): Promise<void> {
    return this.#stopped ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Looks at what it was told of, and what is due. Fulfilled when what is finished is published. */
  lookAtNews(): Promise<void> {
    return this.#next(() => this.#look(this.#agenda.takeNews()));
  }

  /** What is missing now is meant to be. */
  async allowRemovals(): Promise<void> {
    this.#publisher.allowRemovals();
    await this.scan();
  }

  get status(): SourceStatus {
    const unsettled: string[] = [];
    const unreadable: string[] = [];
    for (const state of this.#tree.all()) {
      for (const name of state.looks.keys()) unsettled.push(state.path + name);
      for (const name of state.unreadable.keys()) unreadable.push(name === '.' ? state.path : state.path + name);
    }
    return {
      problem: this.#reports.problem,
      heldRemovals: this.#publisher.heldRemovals,
      refused: [...this.#refusals.entries(), ...this.#check.refused()],
      unsettled,
      unreadable,
      watchedDirectories: this.#watch.size,
    };
  }

  /** Waits for what was begun. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped) {
      await this.#cycle;
      return;
    }
    this.#stopped = true;
    this.#timer.stop();
    this.#watch.close();
    this.#wakeWaiting();
    await this.#cycle;
    await this.#facts.close();
  }

  /** After `stop`, where the store of contents stays open: others may have what only this needed be deleted. */
  async letGo(): Promise<void> {
    let count = 0;
    for (const [, file] of this.#files()) {
      for (const digest of blobsOf(file)) this.#options.blobs.release(digest);
      if (++count % releasedAtOnce === 0) await setImmediate();
    }
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#cycle.then(async () => {
      if (this.#stopped) return;
      try {
        await work();
      } catch (error) {
        this.#reports.failed(error);
        this.#timer.in(publishRetry);
      }
      this.#agenda.wakeLater();
      this.#wakeWaiting();
    });
    this.#cycle = done;
    return done;
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #look(news: LookWork): Promise<void> {
    const { directory, clock, publication } = this.#options;
    const began = clock.monotonic();
    const root = await findRoot(directory);
    if (typeof root === 'string') {
      this.#reports.gone(root);
      this.#isBehind = true;
      this.#timer.in(rootRetry);
      return;
    }
    if (this.#isBehind) this.#agenda.addAll(news);
    this.#isBehind = false;
    for (const name of [...news.keys()]) if (isOfWay(name)) news.delete(name);
    const isFirst = this.#root === null;
    const isMoved = !isFirst && root.identity !== this.#root?.identity;
    if (isFirst || isMoved) await this.#meetRoot(root, news, isMoved);
    const walk = new TreeWalk(this.#walkParts(), root.real);
    try {
      await walk.run(news, isMoved);
    } catch (error) {
      // nothing can be said of what was not seen
      this.#isBehind = true;
      if (isFirst) this.#root = null;
      throw error;
    } finally {
      for (const path of walk.touched) this.#edits.touch(path);
    }
    if (isFirst) this.#edits.touchAll();
    const again = await findRoot(directory);
    if (typeof again === 'string' || again.identity !== root.identity) {
      this.#agenda.soon();
      return;
    }
    if (this.#isEmptied() && publication.list.counts.documents > 0 && !this.#publisher.areRemovalsAllowed) {
      this.#reports.gone('is empty');
      return;
    }
    this.#reports.there();
    this.#reports.stored(walk.trouble, this.#notStored.size);
    const wait = await this.#publisher.publish(clock.monotonic());
    this.#isMoreToCome = wait !== null;
    if (wait !== null) this.#timer.in(wait);
    this.#reports.published();
    if (isFirst) this.#facts.settle();
    await this.#writeFacts();
    this.#options.onLooked?.();
    this.#agenda.restAfter(elapsedMonotonic(began, clock.monotonic()));
  }

  async #meetRoot(root: SourceRoot, work: LookWork, isMoved: boolean): Promise<void> {
    const { directory, watch } = this.#options;
    this.#root = root;
    const top = this.#tree.get('') ?? this.#tree.add('', root.real);
    top.real = root.real;
    if (isMoved) this.#gates.close('', 'moved');
    work.clear();
    work.set('', 'all');
    if (watch === false) return;
    this.#watch.watch('', root.real);
    this.#way = await watchWay(directory, this.#watch, this.#way);
  }

  #isEmptied(): boolean {
    const top = this.#tree.get('');
    return top !== undefined && top.files.size + top.subdirectories.size + top.looks.size + top.unreadable.size === 0;
  }

  /** What was behind a gate is published. */
  #release(gate: string): void {
    for (const { path, marker } of this.#tree.below(gate)) if (marker !== null) this.#facts.put({ path, marker });
    this.#gates.remove(gate);
  }

  async #writeFacts(): Promise<void> {
    await this.#facts.write();
    if (this.#facts.isWorthCompacting) await this.#facts.compact(this.#files());
  }

  *#files(): Generator<readonly [string, SourceFile]> {
    for (const state of this.#tree.all()) for (const [name, file] of state.files) yield [state.path + name, file];
  }

  #walkParts(): WalkParts {
    const { rules, blobs, clock, watch } = this.#options;
    return {
      ...{ tree: this.#tree, rules, gates: this.#gates, blobs, facts: this.#facts, schedule: this.#agenda.schedule },
      ...{ refusals: this.#refusals, notStored: this.#notStored, times: this.#times, clock },
      onDirectory: (path, real) => {
        if (watch !== false) this.#watch.watch(path, real);
      },
      onDirectoryGone: (path) => this.#watch.unwatch(path),
    };
  }
}
