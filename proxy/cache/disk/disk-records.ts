import { bytes, type Bytes, type EpochMs } from '../../../config/units.js';
import { keyOfUri, scopes, type CacheKey } from '../cache-key.js';
import { groupName, groupNames } from '../group-index.js';
import { InvalidationMarks, type InvalidationOrder } from '../invalidation-marks.js';
import type { PurgeMode, PurgeSelector } from '../purge.js';
import { endedOnArrival, PurgesUnderWay } from '../purges-under-way.js';
import type { Generation, ResponseDraft } from '../response-store.js';
import { sameSelecting } from '../same-selecting.js';
import type { ResponseMetadata, StoredResponse } from '../stored-response.js';
import type { DiskClasses } from './disk-classes.js';
import type { DiskEviction } from './disk-eviction.js';
import type { DiskIndex } from './disk-index.js';
import { DiskResponse, LoadedSegments, type DiskContent } from './disk-response.js';
import type { Written } from './disk-writer.js';
import { extended, type Extension } from './extension.js';
import { keyOfRecord, rangesOf, recordKey } from './index-keys.js';
import type { KeyLocks } from './key-locks.js';
import type { KeyRecord } from './key-record.js';
import { RecentUses } from './recent-uses.js';
import { indexChange } from './record-change.js';
import type { SegmentFiles } from './segment-files.js';
import type { Segment } from './segment.js';

export interface RecordsParts {
  readonly index: DiskIndex;
  readonly locks: KeyLocks;
  readonly files: SegmentFiles;
  readonly eviction: DiskEviction;
  readonly classes: DiskClasses;
  readonly order: InvalidationOrder;
  readonly newName: () => string;
  readonly bounds: RecordBounds;
}

export interface RecordBounds {
  /** Most responses under one key. */
  readonly variants: number;
  /** What one response may count. */
  readonly maxSize: Bytes;
}

/** For the marks of invalidations, so that what is under way when they happen is known to be out of date. */
const marksLimit = bytes(1024 * 1024);
/** Of so many responses it is known which of them was opened last. */
const opensKnown = 8192;
const atOnce = 64;

/**
 * What is stored under keys, and how it changes: one change of a key at a time, each decided and handed to the journal in
 * one turn, so that no invalidation or purge comes between. Methods reject where the disk fails.
 */
export class DiskRecords {
  readonly #parts: RecordsParts;
  readonly #marks: InvalidationMarks;
  readonly #purges: PurgesUnderWay<Promise<number>>;
  readonly #opened = new RecentUses(opensKnown);
  #walking: Promise<unknown> = Promise.resolve();
  /** For what is stored from now on. */
  bounds: RecordBounds;

  constructor(parts: RecordsParts) {
    this.#parts = parts;
    this.bounds = parts.bounds;
    this.#marks = new InvalidationMarks(marksLimit, parts.order);
    this.#purges = new PurgesUnderWay(parts.order, (selector, visit) => this.#walk(selector, visit));
  }

  isInvalidatedAfter(key: CacheKey, generation: Generation): boolean {
    return this.#marks.isAfter(key, generation) || this.#purges.after(generation, key, []) !== null;
  }

  /** A response is being read. */
  opened({ id }: DiskResponse): void {
    this.#opened.note(id, this.#parts.index.journal.nextSequence());
  }

  /** Makes what was written visible; null if it is not taken. */
  keep(draft: ResponseDraft, written: Written): Promise<DiskResponse | null> {
    const { key } = draft.metadata;
    return this.#parts.locks.run(key, async () => {
      const before = await this.#parts.index.record(key);
      const extension = this.#extension(draft, written, before);
      const { contents, ...content } = extension;
      if (!extension.isComplete && content.segments.length === 0) return null;
      const loaded = new LoadedSegments();
      for (const { id, data } of contents) loaded.contents.set(id, data);
      const response = this.#version(draft.metadata, draft.generation, content, loaded);
      return response && this.#put(key, before, response, null, contents, written.onStored);
    });
  }

  /** As `ResponseStore.freshen`. @param onStored called in the moment in which the new version counts as stored */
  freshen(
    stored: StoredResponse,
    metadata: ResponseMetadata,
    generation: Generation,
    onStored: () => void,
  ): Promise<DiskResponse | null> {
    const { key } = stored;
    return this.#parts.locks.run(key, async () => {
      const before = await this.#parts.index.record(key);
      const current = before?.responses.find(({ id }) => id === stored.id);
      if (current === undefined || this.#purges.isForgetting(current)) return null;
      const loaded = stored instanceof DiskResponse ? stored.loaded : null;
      const response = this.#version(metadata, generation, current.content, loaded);
      return response && this.#put(key, before, response, current, [], onStored);
    });
  }

  /** Puts what was written in the place of segments of a response; null if it has them no more. */
  merge(
    key: CacheKey,
    pieces: readonly Segment[],
    { segment, inline, onStored }: Written,
  ): Promise<DiskResponse | null> {
    const { index, locks, files } = this.#parts;
    const isPiece = ({ id }: Segment): boolean => pieces.some((one) => one.id === id);
    return locks.run(key, async () => {
      const before = await index.record(key);
      const current = before?.responses.find(({ segments }) => segments.filter(isPiece).length === pieces.length);
      if (before === null || current === undefined || segment === null) return null;
      const merged = current.withSegments([...current.segments.filter((one) => !isPiece(one)), segment]);
      const responses = before.responses.map((one) => (one === current ? merged : one));
      const contents = inline === null ? [] : [{ id: segment.id, data: inline }];
      const change = { key, before, after: { ...before, responses }, contents, onWritten: onStored };
      await index.journal.write(indexChange(change, files));
      return merged;
    });
  }

  remove(stored: StoredResponse): Promise<number> {
    return this.#update(stored.key, (all) => all.filter(({ id }) => id !== stored.id));
  }

  /** Forgets what has bytes in a segment that cannot be read. */
  forgetSegment(key: CacheKey, segment: string): Promise<number> {
    return this.#update(key, (all) => all.filter(({ segments }) => segments.every(({ id }) => id !== segment)));
  }

  /** Forgets what is stored under a key whose record cannot be read. Gives whether there was any, as a number. */
  forgetRecord(key: CacheKey): Promise<number> {
    const { index, locks } = this.#parts;
    return locks.run(key, async () => {
      if (!(await index.isDamaged(key))) return 0;
      await index.journal.write({ changes: [{ type: 'del', key: recordKey(key) }] });
      return 1;
    });
  }

  invalidate(key: CacheKey): Promise<number> {
    this.#marks.add(key);
    return this.#update(key, (all) => all.map((one) => (one.invalidated ? one : one.asInvalidated())));
  }

  invalidateGroup(origin: string, group: string): Promise<void> {
    const name = groupName(origin, group);
    this.#marks.add(name);
    return this.#parts.index.markGroup(name);
  }

  purge(selector: PurgeSelector, mode: PurgeMode, now: EpochMs): Promise<number> {
    return this.#purges.purge(selector, mode, (key, isDue) =>
      this.#update(key, (all) =>
        mode === 'hard' ? all.filter((one) => !isDue(one)) : all.map((one) => (isDue(one) ? one.asEnded(now) : one)),
      ),
    );
  }

  /** A new version of a response, as what happened since its request was sent leaves it; null if it was purged hard. */
  #version(
    metadata: ResponseMetadata,
    generation: Generation,
    { segments, length, trailers }: Pick<DiskContent, 'segments' | 'length' | 'trailers'>,
    loaded: LoadedSegments | null,
  ): DiskResponse | null {
    const { index, newName } = this.#parts;
    const purged = this.#purges.after(generation, metadata.key, metadata.groups);
    if (purged === 'hard') return null;
    const subjects = [metadata.key, ...groupNames(metadata)];
    const invalidated = subjects.some((one) => this.#marks.isAfter(one, generation));
    const made = { id: newName(), sequence: index.journal.nextSequence(), run: index.run, generation };
    const content = { ...made, segments, length, trailers, invalidated };
    const response = new DiskResponse(purged === null ? metadata : endedOnArrival(metadata), content, loaded);
    return response.size > this.bounds.maxSize ? null : response;
  }

  /** `instead` of an older version, if there is one. */
  async #put(
    key: CacheKey,
    before: KeyRecord | null,
    response: DiskResponse,
    instead: DiskResponse | null,
    contents: Extension['contents'],
    onWritten: () => void,
  ): Promise<DiskResponse | null> {
    const { index, files, eviction, classes } = this.#parts;
    const others = (before?.responses ?? []).filter((one) => one !== instead);
    const twin = others.find(({ selecting }) => sameSelecting(selecting, response.selecting));
    if (twin?.complete === true && !response.complete) return null;
    let kept = others.filter((one) => one !== twin);
    const evicted = Math.max(0, kept.length - this.bounds.variants + 1);
    for (let i = 0; i < evicted; i++) kept = this.#withoutLeastUsed(kept);
    const responses = [response, ...kept];
    const list = classes.listOf(key);
    const after = { use: index.journal.nextSequence(), hour: eviction.hour(), list, responses };
    const stored = (): void => {
      eviction.count(evicted, list);
      onWritten();
    };
    await index.journal.write(indexChange({ key, before, after, contents, onWritten: stored }, files));
    return response;
  }

  #withoutLeastUsed(responses: DiskResponse[]): DiskResponse[] {
    const use = ({ id, content }: DiskResponse): number => Math.max(this.#opened.of(id), content.sequence);
    const least = Math.min(...responses.map(use));
    return responses.filter((one) => use(one) !== least);
  }

  /** Changes what is stored under a key in place, which is no use of it. Gives how many responses it changes. */
  #update(key: CacheKey, change: (responses: readonly DiskResponse[]) => readonly DiskResponse[]): Promise<number> {
    const { index, locks, files } = this.#parts;
    return locks.run(key, async () => {
      const before = await index.record(key);
      if (before === null) return 0;
      const responses = change(before.responses);
      const left = before.responses.filter((one) => !responses.includes(one)).length;
      if (left === 0) return 0;
      const after = responses.length === 0 ? null : { ...before, responses };
      await index.journal.write(indexChange({ key, before, after }, files));
      return left;
    });
  }

  #extension(draft: ResponseDraft, written: Written, before: KeyRecord | null): Extension {
    const { extend } = draft;
    const base = extend instanceof DiskResponse && !this.#mayBeForgotten(extend) ? extend : null;
    // its pieces may have been merged meanwhile
    const current = before?.responses.find(({ id }) => id === base?.id) ?? base;
    return extended(draft, written, current, before, (id) => this.#parts.files.isBuried(id));
  }

  #mayBeForgotten(base: DiskResponse): boolean {
    return this.#purges.isForgetting(base) || this.#purges.after(base.generation, base.key, base.groups) === 'hard';
  }

  /** One walk at a time, but for those that know where to go. */
  #walk(selector: PurgeSelector, visit: (key: CacheKey) => Promise<number>): Promise<number> {
    if (selector.kind === 'uri') {
      const keys = scopes.flatMap((scope) => selector.uris.map((uri) => keyOfUri(uri, scope)));
      return Promise.all(keys.map(visit)).then(sum);
    }
    const walk = this.#walking.then(async () => {
      // what was decided before the purge is to be found
      await this.#parts.index.journal.settled();
      return this.#visit(this.#keysOf(selector), visit);
    });
    this.#walking = walk.catch(() => undefined);
    return walk;
  }

  /** What comes after the walk has begun is not found, and was decided knowing of the purge. */
  async *#keysOf(selector: PurgeSelector): AsyncGenerator<CacheKey> {
    const { index } = this.#parts;
    for (const range of rangesOf(selector)) {
      if (selector.kind !== 'group') for await (const found of index.keys(range)) yield keyOfRecord(found);
      else {
        for await (const [found, value] of index.entries(range)) {
          const responses = index.decode(keyOfRecord(found), value)?.responses ?? [];
          if (responses.some(({ groups }) => groups.includes(selector.group))) yield keyOfRecord(found);
        }
      }
    }
  }

  async #visit(keys: AsyncIterable<CacheKey>, visit: (key: CacheKey) => Promise<number>): Promise<number> {
    let concerned = 0;
    let slice: CacheKey[] = [];
    for await (const key of keys) {
      slice.push(key);
      if (slice.length < atOnce) continue;
      concerned += sum(await Promise.all(slice.map(visit)));
      slice = [];
    }
    return concerned + sum(await Promise.all(slice.map(visit)));
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
