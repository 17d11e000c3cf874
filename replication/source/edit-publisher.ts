import type { Milliseconds, MonotonicMs } from '../../config/units.js';
import type { Edit } from '../change-list.js';
import type { Publication } from '../publication.js';
import type { DocumentEdits, GatheredSet } from './document-edits.js';
import type { RecordCheck } from './record-check.js';
import { MassRemoval } from './mass-removal.js';
import type { PublishedPaths } from './published-paths.js';
import type { SourceReports } from './source-reports.js';

export interface EditPublisherParts {
  readonly edits: DocumentEdits;
  readonly publication: Publication;
  readonly paths: PublishedPaths;
  readonly reports: SourceReports;
  readonly check: RecordCheck;
  /** What was behind this gate is published. */
  readonly onReleased: (gate: string) => void;
}

/** Publishes what there is to be published, and holds back removals that look like an accident. */
export class EditPublisher {
  readonly #parts: EditPublisherParts;
  readonly #removals = new MassRemoval();
  #heldRemovals = 0;

  constructor(parts: EditPublisherParts) {
    this.#parts = parts;
  }

  /** Removals that wait for `allowRemovals`. */
  get heldRemovals(): number {
    return this.#heldRemovals;
  }

  /** What is missing now is meant to be. */
  allowRemovals(): void {
    this.#removals.allow();
  }

  get areRemovalsAllowed(): boolean {
    return this.#removals.isAllowed;
  }

  /** Gives how soon there will be more to publish; null if nothing is known of that. */
  async publish(now: MonotonicMs): Promise<Milliseconds | null> {
    const { edits, publication, reports } = this.#parts;
    const gathered = await edits.gather(now);
    this.#heldRemovals = 0;
    try {
      for (const set of gathered.sets) await this.#publishSet(set, now);
      await this.#publishOrdinary(gathered.ordinary, now);
    } catch (error) {
      for (const set of gathered.sets) edits.putBack(set.edits);
      edits.putBack(gathered.ordinary);
      throw error;
    }
    reports.held(this.#heldRemovals, publication.list.counts.documents);
    if (this.#heldRemovals > 0) return null;
    if (gathered.wait === null) this.#removals.done();
    return gathered.wait;
  }

  async #publishSet({ gate, edits }: GatheredSet, now: MonotonicMs): Promise<void> {
    if (this.#isSuspect(edits, now)) {
      this.#hold(edits);
      return;
    }
    await this.#publishEdits(edits, true, now);
    this.#parts.onReleased(gate);
  }

  async #publishOrdinary(edits: readonly Edit<string>[], now: MonotonicMs): Promise<void> {
    if (!this.#isSuspect(edits, now)) {
      await this.#publishEdits(edits, false, now);
      return;
    }
    const removals = edits.filter(isRemoval);
    this.#hold(removals);
    await this.#publishEdits(
      edits.filter((edit) => !isRemoval(edit)),
      false,
      now,
    );
  }

  #isSuspect(edits: readonly Edit<string>[], now: MonotonicMs): boolean {
    const { documents } = this.#parts.publication.list.counts;
    return this.#removals.isSuspect(edits.filter(isRemoval).length, documents, now);
  }

  #hold(edits: readonly Edit<string>[]): void {
    this.#heldRemovals += edits.filter(isRemoval).length;
    this.#parts.edits.putBack(edits);
  }

  async #publishEdits(edits: readonly Edit<string>[], isSet: boolean, now: MonotonicMs): Promise<void> {
    const { paths, publication, check } = this.#parts;
    for (const some of isSet ? [edits] : slices(edits)) {
      const believable = await check.passed(some);
      if (believable.length > 0) paths.apply(await publication.publish(believable, isSet));
    }
    this.#removals.count(edits.filter(isRemoval).length, now);
  }
}

/** What is not visible together is published in parts, so that nobody waits for all of it. */
function* slices(edits: readonly Edit<string>[]): Generator<readonly Edit<string>[]> {
  for (let at = 0; at < edits.length; at += publishedAtOnce) yield edits.slice(at, at + publishedAtOnce);
}

const publishedAtOnce = 500;

const isRemoval = ({ document }: Edit<string>): boolean => document === null;
