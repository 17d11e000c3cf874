import type { Bytes } from '../../config/units.js';
import type { Cancellation } from '../../proxy/base/cancellation.js';
import { CALLS } from '../calls/call-target.js';
import type { Ranked } from '../choice/choice.js';
import { checkBlockList } from '../trust/block-list.js';
import { NotBelieved } from '../trust/not-believed.js';
import type { Variant } from '../trust/variant.js';
import type { AskedDocument } from './asked-document.js';
import type { FailoverParts } from './failover-parts.js';
import type { NodeAnswer } from './node-answer.js';
import { rawBytes, type RawBytes } from './raw-bytes.js';
import { faultOf, isFailure, Overtaken, SourceFailed } from './source-failed.js';
import { staggered, type Entrant } from './staggered.js';
import type { Turn } from './turn.js';

/** Bytes of a content from one of those who hold it. */
export interface OpenSource extends RawBytes {
  readonly ranked: Ranked;
}

/** Gets what is missing of a content by its digest, from whomever has it. */
export class ContentSources {
  readonly #parts: FailoverParts;
  readonly #asked: AskedDocument;
  readonly #turn: Turn;

  constructor(parts: FailoverParts, asked: AskedDocument, turn: Turn) {
    this.#parts = parts;
    this.#asked = asked;
    this.#turn = turn;
  }

  /** @returns null if nobody is left. @throws the reason of the cancellation */
  open(variant: Variant, from: Bytes, to: Bytes, cancellation: Cancellation): Promise<OpenSource | null> {
    const isAll = from === 0 && to === variant.length;
    const ask = async (ranked: Ranked, own: Cancellation): Promise<OpenSource> => {
      const fields = isAll ? [] : ['Range', `bytes=${from}-${to - 1}`];
      const { digest, length } = variant;
      const answer = await this.#ask(ranked, `blob/${digest}`, fields, own);
      if (answer.status !== 200 && answer.status !== 206) {
        throw answer.failed('status', `answered ${answer.status} for a content`);
      }
      if (!isOfNode(answer)) throw answer.failed('broken', 'something else than was asked for');
      const raw = rawBytes(answer, { status: 200, digest, length, coding: null, range: isAll ? null : { from, to } });
      if (raw === null) throw answer.failed('status', `answered ${answer.status} for a content`);
      if (typeof raw === 'string') {
        this.#report(ranked, 'wrong-range', raw);
        throw answer.failed('false', raw);
      }
      return { ...raw, ranked };
    };
    return this.#first(ask, ({ answer }) => answer.leave(new Overtaken(false)), cancellation);
  }

  /** The block list of a content of more than one block. @throws SourceFailed if nobody has it; or the reason of the cancellation */
  async blockList(variant: Variant, cancellation: Cancellation): Promise<Uint8Array> {
    const ask = async (ranked: Ranked, own: Cancellation): Promise<Uint8Array> => {
      const answer = await this.#ask(ranked, `blocks/${variant.blocks}`, [], own);
      if (answer.status !== 200) throw answer.failed('status', `answered ${answer.status} for a block list`);
      if (!isOfNode(answer)) throw answer.failed('broken', 'something else than was asked for');
      const list = new Uint8Array(32 * Math.ceil(variant.length / variant.blockSize));
      let size = 0;
      for (let chunk = await answer.read(); chunk !== null; chunk = await answer.read()) {
        if (size + chunk.length > list.length) break;
        list.set(chunk, size);
        size += chunk.length;
      }
      try {
        checkBlockList(list.subarray(0, size), variant);
      } catch (error) {
        if (!(error instanceof NotBelieved)) throw error;
        this.#report(ranked, error.reason, error.message);
        throw answer.failed('false', error.message);
      }
      answer.done();
      return list;
    };
    const list = await this.#first(ask, () => undefined, cancellation);
    if (list === null) throw new SourceFailed(null, 'nobody has its block list');
    return list;
  }

  /** Somebody whose bytes were being read failed. */
  failed({ candidate: { url } }: Ranked, failure: SourceFailed): void {
    this.#parts.metrics.failed(failure.reason);
    this.#turn.failed(url, failure.message, faultOf(failure));
  }

  /** A block that came from there is the right one. */
  believed({ candidate: { url } }: Ranked): void {
    this.#turn.believed(url);
    this.#parts.strangers.met(this.#asked.known.namespace, url);
  }

  /** What came from there is not what the record says. */
  lied(source: OpenSource, error: NotBelieved): SourceFailed {
    this.#report(source.ranked, error.reason, error.message);
    return source.answer.failed('false', error.message);
  }

  #ask({ candidate }: Ranked, call: string, fields: readonly string[], cancellation: Cancellation) {
    const { requests, upstreamFor, settings } = this.#parts;
    const { known, request } = this.#asked;
    const passedOn = request.fields.filter((name) => name === 'via' || name === 'cdn-loop').lines;
    return requests.ask({
      url: candidate.url,
      path: CALLS + call,
      method: 'GET',
      fields: [...fields, ...passedOn],
      upstream: upstreamFor(known.namespace),
      patience: settings().patience,
      cancellation,
    });
  }

  #first<T>(
    ask: (ranked: Ranked, cancellation: Cancellation) => Promise<T>,
    release: (won: T) => void,
    cancellation: Cancellation,
  ): Promise<T | null> {
    const { pace, settings, strangers } = this.#parts;
    const { namespace } = this.#asked.known;
    const next = (): Entrant<T> | null => {
      const ranked = this.#turn.next();
      if (ranked === null) return null;
      const { url } = ranked.candidate;
      const begin = async (own: Cancellation): Promise<T> => {
        try {
          strangers.refuse(namespace, url);
          return await ask(ranked, own);
        } catch (error) {
          if (isFailure(error)) strangers.failed(namespace, url);
          this.#note(error, ranked);
          throw error;
        }
      };
      return { lead: pace.lateFor(url, settings()), begin };
    };
    return staggered({ next, release, cancellation });
  }

  #note(error: unknown, ranked: Ranked): void {
    const { url } = ranked.candidate;
    if (error instanceof SourceFailed) this.failed(ranked, error);
    else if (error instanceof Overtaken && error.isLate) this.#turn.failed(url, 'slow', 'fault');
  }

  #report({ candidate: { url } }: Ranked, reason: string, detail: string): void {
    this.#parts.refusals.report({ url, uri: this.#asked.uri, reason, detail, isBlamed: true });
  }
}

/** Whether it says of which digest it is, as nodes do: what does not is of somebody on the way, and no lie (protocol decision 3). */
const isOfNode = ({ fields }: NodeAnswer): boolean => fields.has('repr-digest');
