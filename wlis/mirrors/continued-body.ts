import { createHash, type Hash } from 'node:crypto';
import { bytes, elapsedMonotonic, milliseconds, type Bytes, type Milliseconds } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import type { Clock } from '../../proxy/base/clock.js';
import { asWillisError, WillisError } from '../../proxy/base/errors.js';
import type { Body } from '../../proxy/http/body.js';
import { Fields } from '../../proxy/http/fields.js';
import type { ByteRange } from '../../proxy/http/range.js';
import type { Digest } from '../trust/digest.js';
import type { Attempt } from '../health/attempts.js';
import { failureOf } from './ask-place.js';
import type { MirrorPlace } from './mirror-set.js';

/** Where the bytes come from for now. */
export interface BodySource {
  readonly place: MirrorPlace;
  readonly body: Body;
  readonly attempt: Attempt;
}

export interface ContinuedBodyOptions {
  readonly range: ByteRange;
  /** Of all that the range has; null if nobody knows it. */
  readonly digest: Digest | null;
  readonly patience: Milliseconds;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Somebody who has the bytes from there on, of the same version; null if there is none. Does not reject. */
  readonly next: (from: Bytes, failed: MirrorPlace, cancellation: Cancellation) => Promise<BodySource | null>;
  /** The bytes are not those of the digest: everybody who sent some. */
  readonly onFalse: (senders: readonly MirrorPlace[]) => void;
}

/** Less than so much in the time of patience is no progress. */
const leastProgress = 16 * 1024;

/** Places of one document have failed so often that another one will not help. */
const mostContinuations = 16;

/**
 * The bytes of a document, from one place after the other: where one breaks off, or makes hardly any progress, another
 * goes on at the byte at which it stopped. If a digest is known, and not all came from the original, the last of them are
 * given only if it is right.
 *
 * @throws WillisError (rejects with) what the last place failed with; upstream-malformed for a wrong digest
 */
export class ContinuedBody implements Body {
  readonly length: Bytes;
  readonly trailers = Fields.none;
  readonly #options: ContinuedBodyOptions;
  readonly #hash: Hash | null;
  readonly #senders: MirrorPlace[] = [];
  readonly #over = new Cancellation();
  #source: BodySource;
  #at: Bytes;
  #continuations = 0;
  /** What is left of the patience; null: nobody else has it, and so the source is waited for. */
  #left: Milliseconds | null;
  #portion = 0;
  #ended = false;

  constructor(first: BodySource, options: ContinuedBodyOptions) {
    this.#options = options;
    this.#source = first;
    this.#senders.push(first.place);
    this.#at = options.range.from;
    this.length = bytes(options.range.to - options.range.from);
    this.#hash = options.digest === null ? null : createHash('sha256');
    this.#left = options.patience;
  }

  async read(): Promise<Buffer | null> {
    while (!this.#ended) {
      if (this.#at === this.#options.range.to) return this.#end();
      const chunk = await this.#chunk();
      if (chunk !== null) return this.#take(chunk);
    }
    return null;
  }

  cancel(reason?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#over.cancel(reason ?? new WillisError('client-gone', 'nobody reads any more'));
    this.#source.attempt.abandoned();
    this.#source.body.cancel(reason);
  }

  /** Null if another source has taken over. @throws WillisError */
  async #chunk(): Promise<Buffer | null> {
    const { body, attempt } = this.#source;
    try {
      attempt.waits();
      const read = body.read();
      const chunk = read instanceof Promise ? await this.#awaited(read) : read;
      if (chunk !== null || this.#ended || body !== this.#source.body) return chunk;
    } catch (error) {
      if (this.#ended || body !== this.#source.body) return null;
      return this.#continueAfter(asWillisError(error));
    }
    return this.#continueAfter(new WillisError('upstream-incomplete', 'the content ended too early'));
  }

  /** The chunk; null if it took too long and another source has taken over. */
  async #awaited(read: Promise<Buffer | null>): Promise<Buffer | null> {
    if (this.#left === null) return read;
    const { clock } = this.#options;
    const since = clock.monotonic();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), this.#left ?? 0);
    });
    // what it fails with while another one is looked for does not matter
    read.catch(() => undefined);
    const first = await Promise.race([read, late]).finally(() => clearTimeout(timer));
    if (first !== 'late') {
      this.#left = milliseconds(Math.max(1, this.#left - elapsedMonotonic(since, clock.monotonic())));
      return first;
    }
    if (await this.#goOn()) return null;
    this.#left = null;
    return read;
  }

  /** Nobody else: the failure is the reader's. */
  async #continueAfter(error: WillisError): Promise<null> {
    const { attempt } = this.#source;
    attempt.failed(failureOf(error.code) ?? 'broken');
    if (await this.#goOn()) return null;
    this.#ended = true;
    throw error;
  }

  /** Goes on with another source. @returns whether there is one */
  async #goOn(): Promise<boolean> {
    const { attempt, body, place } = this.#source;
    if (this.#ended || ++this.#continuations > mostContinuations) return false;
    const found = await this.#options.next(this.#at, place, this.#over);
    if (found === null) return false;
    if (this.#over.cancelled) {
      found.attempt.abandoned();
      found.body.cancel();
      return false;
    }
    attempt.failed('silent');
    body.cancel();
    this.#source = found;
    this.#senders.push(found.place);
    [this.#left, this.#portion] = [this.#options.patience, 0];
    return true;
  }

  #take(chunk: Buffer): Buffer {
    const { range, patience } = this.#options;
    this.#at = bytes(this.#at + chunk.length);
    this.#source.attempt.received(bytes(chunk.length));
    this.#hash?.update(chunk);
    this.#portion += chunk.length;
    if (this.#portion >= leastProgress) [this.#portion, this.#left] = [0, this.#left === null ? null : patience];
    if (this.#at > range.to) this.#refuse('more content than there is');
    if (this.#at === range.to) this.#complete();
    return chunk;
  }

  #complete(): void {
    const { digest } = this.#options;
    const isRight = this.#hash === null || this.#hash.digest('hex') === digest;
    // of what the original alone says it is not for us to judge
    if (!isRight && this.#senders.some(({ role }) => role === 'mirror')) {
      this.#refuse('the content is not that of its digest');
    }
    this.#source.attempt.done();
  }

  #refuse(problem: string): never {
    this.#ended = true;
    // of several nobody knows who it was
    this.#source.attempt.failed(this.#senders.length === 1 ? 'false' : 'broken', problem);
    this.#source.body.cancel();
    this.#options.onFalse(this.#senders);
    throw new WillisError('upstream-malformed', `${this.#source.place.url}: ${problem}`);
  }

  #end(): null {
    this.#ended = true;
    this.#source.attempt.done();
    // nothing follows, and yet it is for the source to see its own end
    this.#source.body.cancel();
    return null;
  }
}
