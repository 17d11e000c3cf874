import { bytes, type Bytes } from '../../config/units.js';
import type { Digest } from '../../wlis/trust/digest.js';
import type { DraftedContent } from '../blob-draft.js';
import { LONGEST_BUNDLED } from './bundle-format.js';

/** A content that is to be here. */
export interface WantedContent {
  readonly content: DraftedContent;
  /** Contents that may have blocks in common with it: older variants of the same document. */
  readonly relatives: readonly DraftedContent[];
  /** Number of the change that it belongs to, in the epoch of the set; null if that is of another epoch, or not known. */
  readonly seq: number | null;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly bytesDone: Bytes;
  readonly bytesTotal: Bytes;
}

interface Entry extends WantedContent {
  readonly order: number;
  /** `later`: it could not be had, and is tried again when asked to be. */
  state: 'queued' | 'running' | 'later';
}

/** What is still to come, in its order, and how much of it has come. */
export class WantedContents {
  readonly #entries = new Map<Digest, Entry>();
  /** Those that bundles have, and the others; each in its order, those from before the mark gone. */
  #short: Queue = { order: [], at: 0 };
  #other: Queue = { order: [], at: 0 };
  #done = 0;
  #bytesDone = 0;
  #bytesLeft = 0;

  /** Takes the place of what was wanted before. @param isRunning those that are being pulled and go on */
  replace(contents: Iterable<WantedContent>, isRunning: (digest: Digest) => boolean): void {
    this.#entries.clear();
    this.#short = { order: [], at: 0 };
    this.#other = { order: [], at: 0 };
    [this.#done, this.#bytesDone, this.#bytesLeft] = [0, 0, 0];
    for (const wanted of contents) {
      const { digest, length } = wanted.content;
      if (this.#entries.has(digest)) continue;
      const state = isRunning(digest) ? 'running' : 'queued';
      const { content, relatives, seq } = wanted;
      const entry: Entry = { content, relatives, seq, order: this.#entries.size, state };
      this.#entries.set(digest, entry);
      this.#bytesLeft += length;
      if (state === 'queued') this.#queueOf(entry).order.push(entry);
    }
  }

  has(digest: Digest): boolean {
    return this.#entries.has(digest);
  }

  get(digest: Digest): WantedContent | undefined {
    return this.#entries.get(digest);
  }

  get size(): number {
    return this.#entries.size;
  }

  get progress(): Progress {
    return {
      done: this.#done,
      total: this.#done + this.#entries.size,
      bytesDone: bytes(this.#bytesDone),
      bytesTotal: bytes(this.#bytesDone + this.#bytesLeft),
    };
  }

  /** Takes the next one to be pulled by itself. @param isBundling what bundles may have is left to them */
  next(isBundling: boolean): WantedContent | null {
    const [short, other] = [isBundling ? null : this.#first(this.#short), this.#first(this.#other)];
    const isShort = short !== null && (other === null || short.order < other.order);
    const entry = isShort ? short : other;
    if (entry === null) return null;
    (isShort ? this.#short : this.#other).at++;
    entry.state = 'running';
    return entry;
  }

  /** How many of those that wait are in bundles, and of which changes; null if none are. */
  get bundled(): { readonly count: number; readonly first: number; readonly last: number } | null {
    let [count, first, last] = [0, Infinity, 0];
    for (let i = this.#short.at; i < this.#short.order.length; i++) {
      const { content, seq, state } = this.#short.order[i] as Entry;
      if (state !== 'queued' || seq === null || !this.#entries.has(content.digest)) continue;
      count++;
      first = Math.min(first, seq);
      last = Math.max(last, seq);
    }
    return count === 0 ? null : { count, first, last };
  }

  /** It is here. */
  done(digest: Digest): void {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return;
    this.#done++;
    this.#bytesDone += entry.content.length;
    this.#forget(entry);
  }

  /** It cannot be had, whoever is asked: it counts no more. */
  givenUp(digest: Digest): void {
    const entry = this.#entries.get(digest);
    if (entry !== undefined) this.#forget(entry);
  }

  /** It was not got: it waits for `requeue`, or comes next again. */
  failed(digest: Digest, isLater: boolean): void {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return;
    entry.state = isLater ? 'later' : 'queued';
    if (isLater) return;
    const queue = this.#queueOf(entry);
    queue.order = [entry, ...queue.order.slice(queue.at)];
    queue.at = 0;
  }

  /** All that waited come again, in their order, before what has not been tried. Gives how many they were. */
  requeue(): number {
    const waiting = [...this.#entries.values()].filter(({ state }) => state === 'later');
    for (const queue of [this.#short, this.#other]) {
      const rest = queue.order.slice(queue.at);
      queue.order = [...waiting.filter((entry) => this.#queueOf(entry) === queue), ...rest];
      queue.at = 0;
    }
    for (const entry of waiting) entry.state = 'queued';
    return waiting.length;
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.content.digest);
    this.#bytesLeft -= entry.content.length;
  }

  #queueOf({ content, seq }: WantedContent): Queue {
    return seq !== null && content.length <= LONGEST_BUNDLED ? this.#short : this.#other;
  }

  /** Takes away those before it that have come meanwhile. */
  #first(queue: Queue): Entry | null {
    for (; queue.at < queue.order.length; queue.at++) {
      const entry = queue.order[queue.at] as Entry;
      if (entry.state === 'queued' && this.#entries.get(entry.content.digest) === entry) return entry;
    }
    return null;
  }
}

interface Queue {
  order: Entry[];
  at: number;
}
