import { randomBytes } from 'node:crypto';
import { elapsedMonotonic, type Milliseconds } from '../../config/units.js';
import type { Cancellation } from '../../proxy/base/cancellation.js';
import { parseProblem } from '../calls/call-failures.js';
import { rawPath } from '../calls/raw-target.js';
import type { Ranked } from '../choice/choice.js';
import { namespaceLabel, type Namespace } from '../namespace.js';
import { parseGroupField } from '../piggyback/group-field.js';
import { haveField, HAVE_FIELD } from '../piggyback/have-field.js';
import { parseLoadField } from '../piggyback/load-field.js';
import { minSeqField, MIN_SEQ_FIELD } from '../piggyback/min-seq-field.js';
import { compareVersions, type Version } from '../trust/epoch.js';
import { isCurrent } from '../trust/head.js';
import { NotBelieved } from '../trust/not-believed.js';
import { askedFields, rawQuestion, type AskedDocument, type RawQuestion } from './asked-document.js';
import { contradiction } from './contradiction.js';
import type { FailoverParts } from './failover-parts.js';
import type { KnownDocument } from './known-document.js';
import type { NodeAnswer } from './node-answer.js';
import { askProof, readWhole, type CalledProof } from './proof-call.js';
import type { ShownProof } from './proof-check.js';
import { rawBytes, type RawBytes } from './raw-bytes.js';
import { isFresh, shownFields } from './shown-fields.js';
import { SourceFailed } from './source-failed.js';

/** What one node has proven of a URI. */
export interface Shown {
  readonly ranked: Ranked;
  readonly document: KnownDocument;
  /** How old its head is, as it says; null at the primary, which answers as the origin server does. */
  readonly age: Milliseconds | null;
  /** Content that it has begun to send; whoever has this ends its answer. */
  readonly raw: RawBytes | null;
  /** Whether its head has not expired. */
  readonly isCurrent: boolean;
}

/**
 * Asks one node for a document in its raw space, and for what proves it if that does not come along.
 * @throws SourceFailed if nothing comes of it, of which health, log and metrics know; or the reason of the cancellation
 */
export function exchangeRaw(
  parts: FailoverParts,
  asked: AskedDocument,
  ranked: Ranked,
  cancellation: Cancellation,
): Promise<Shown> {
  return new RawExchange(parts, asked, ranked, cancellation).run();
}

class RawExchange {
  readonly #parts: FailoverParts;
  readonly #asked: AskedDocument;
  readonly #ranked: Ranked;
  readonly #cancellation: Cancellation;
  readonly #nonce = randomBytes(9).toString('base64url');
  readonly #question: RawQuestion;
  /** The newest head that was known before. */
  readonly #before: Version | null;

  constructor(parts: FailoverParts, asked: AskedDocument, ranked: Ranked, cancellation: Cancellation) {
    this.#parts = parts;
    this.#asked = asked;
    this.#ranked = ranked;
    this.#cancellation = cancellation;
    this.#question = rawQuestion(asked.request, parts.proofs.last(asked.uri));
    this.#before = asked.known.head?.head ?? null;
  }

  get #url(): string {
    return this.#ranked.candidate.url;
  }

  async run(): Promise<Shown> {
    const { clock, latencies } = this.#parts;
    const since = clock.monotonic();
    const answer = await this.#ask();
    try {
      this.#hear(answer);
      await this.#refuse(answer);
      const shown = await this.#prove(answer);
      latencies.note(this.#url, elapsedMonotonic(since, clock.monotonic()));
      return shown;
    } catch (error) {
      const { reason } = this.#cancellation;
      answer.leave(reason ?? undefined);
      throw reason ?? error;
    }
  }

  #ask(): Promise<NodeAnswer> {
    const { requests, upstreamFor, settings } = this.#parts;
    const { known, path } = this.#asked;
    const { namespace } = known;
    return requests.ask({
      url: this.#url,
      path: rawPath(labelOf(namespace), path),
      method: this.#question.method,
      fields: [...askedFields(this.#asked, this.#question), ...this.#own()],
      upstream: upstreamFor(namespace),
      patience: settings().patience,
      cancellation: this.#cancellation,
    });
  }

  /** What is known already, and what is not to be gone back behind. */
  #own(): string[] {
    const { known, uri } = this.#asked;
    const { namespace, group, head } = known;
    const told = { namespace, group: group.group.version, head: head?.head ?? null, nonce: this.#nonce };
    const floor = this.#parts.floors.of(uri);
    const floorLines = floor === null ? [] : [MIN_SEQ_FIELD, minSeqField({ namespace, version: floor })];
    return [HAVE_FIELD, haveField(told), ...floorLines];
  }

  /** What a node says besides; what a cache in between has kept is worth nothing. */
  #hear({ fields }: NodeAnswer): void {
    if (!isFresh(fields, this.#nonce)) return;
    const { known } = this.#asked;
    const group = parseGroupField(fields.first('wlis-group'));
    if (group?.namespace === known.namespace) known.heardOf(group.version, this.#url);
    const load = parseLoadField(fields.first('wlis-load'));
    if (load !== null) this.#parts.attempts.loaded(this.#url, load.load);
  }

  /** Answers that are about the node, and not about the document. @throws SourceFailed */
  async #refuse(answer: NodeAnswer): Promise<void> {
    const { status, fields } = answer;
    const isProblem =
      /^application\/problem\+json\b/i.test(fields.get('content-type') ?? '') && !fields.has('wlis-head');
    if (documentStatuses.has(status) && !isProblem) return;
    const notHeld = status === 504 && this.#asked.isStripped;
    const isBehind = isProblem && status === 503 && (await problemIn(answer)) === 'behind';
    if (!notHeld && !isBehind) throw answer.failed('status', `answered ${status}`);
    answer.done();
    throw new SourceFailed(
      null,
      notHeld ? 'does not hold the bytes' : 'does not have what is as new as was there before',
    );
  }

  async #prove(answer: NodeAnswer): Promise<Shown> {
    const along = this.#along(answer);
    const document = along === null ? null : await this.#opened(along, answer);
    if (along !== null && document !== null && (this.#isCurrent(document) || along.isFresh)) {
      return this.#believed(document, along.age, answer, true);
    }
    const called = await askProof(this.#parts, this.#asked, this.#url, this.#cancellation);
    const proven = await this.#opened({ ...called, isFresh: true }, called.answer);
    called.answer.done();
    return this.#believed(proven, called.age, answer, false);
  }

  /** What came with the answer; null if that is not enough. */
  #along(answer: NodeAnswer): Along | null {
    const fresh = isFresh(answer.fields, this.#nonce);
    try {
      const { head, proof } = shownFields(answer.fields);
      if (head === null || proof === null) return null;
      return { jws: head.jws, text: proof, age: head.age, at: this.#url, isFresh: fresh };
    } catch (error) {
      throw this.#disbelieved(error, answer, fresh);
    }
  }

  async #opened(shown: Along, answer: NodeAnswer): Promise<KnownDocument> {
    const { proofs } = this.#parts;
    const { uri, known } = this.#asked;
    try {
      const document = await proofs.open(uri, known, shown, this.#cancellation.signal);
      if (shown.isFresh) this.#checkAge(document, shown.age);
      if (shown.isFresh) this.#locate(document);
      return document;
    } catch (error) {
      throw this.#disbelieved(error, answer, shown.isFresh);
    }
  }

  /**
   * Whoever holds back newer heads has to say how old its own is. What it shows is true all the same: it is named, and asked last
   * for documents of which others have something newer.
   */
  #checkAge({ proven: { head } }: KnownDocument, age: Milliseconds): void {
    const atLeast = this.#parts.now() - head.expires;
    if (atLeast < clockTolerance || age >= atLeast / 2) return;
    const detail = `its head is said to be ${age} ms old, and expired ${atLeast} ms ago`;
    const { uri } = this.#asked;
    this.#parts.refusals.report({ url: this.#url, uri, reason: 'wrong-age', detail, isBlamed: true });
  }

  #locate({ proven: { head } }: KnownDocument): void {
    const { namespace, head: newest } = this.#asked.known;
    this.#parts.positions?.answered(this.#url, namespace, head, newest?.head ?? head);
  }

  #believed(document: KnownDocument, age: Milliseconds, answer: NodeAnswer, isAlong: boolean): Shown {
    const { proven } = document;
    if (this.#parts.floors.isBelow(this.#asked.uri, proven)) {
      answer.leave();
      throw new SourceFailed(null, 'has only what is older than what was there before');
    }
    const { request } = this.#asked;
    const fault = contradiction(document, answer.status, request, this.#question, this.#parts.now());
    const fresh = isFresh(answer.fields, this.#nonce);
    if (fault !== null && (isAlong || !this.#mayHaveChanged(document))) {
      throw this.#lie(answer, 'contradiction', fault, fresh);
    }
    const raw = fault === null ? this.#rawBytes(document, answer, fresh) : null;
    if (raw === null) answer.done();
    const shown = { ranked: this.#ranked, document, raw };
    return {
      ...shown,
      age: this.#ranked.candidate.role === 'primary' ? null : age,
      isCurrent: this.#isCurrent(document),
    };
  }

  #rawBytes({ proven, prepared }: KnownDocument, answer: NodeAnswer, fresh: boolean): RawBytes | null {
    const { method, range } = this.#question;
    const variant = prepared?.variantFor(this.#asked.request.fields).variant ?? null;
    if (variant === null || method === 'HEAD') return null;
    const { digest, length, coding } = variant;
    const found = rawBytes(answer, { status: proven.record?.status ?? 404, digest, length, coding, range });
    if (typeof found === 'string') throw this.#lie(answer, 'wrong-range', found, fresh);
    return found;
  }

  /** Whether what was answered and what was proven a moment later can both be true. */
  #mayHaveChanged({ proven: { isThere, record } }: KnownDocument): boolean {
    return !isThere || record === null || this.#before === null || compareVersions(record, this.#before) > 0;
  }

  #isCurrent({ proven: { head } }: KnownDocument): boolean {
    return isCurrent(head, this.#parts.now());
  }

  #disbelieved(error: unknown, answer: NodeAnswer, fresh: boolean): unknown {
    if (!(error instanceof NotBelieved)) return error;
    const { reason, message } = error;
    if (reason !== 'out-of-date' && reason !== 'equivocation') return this.#lie(answer, reason, message, fresh);
    answer.leave();
    return new SourceFailed(null, message, { cause: error });
  }

  /** @param fresh whether it is the node that has sent it */
  #lie(answer: NodeAnswer, reason: string, detail: string, fresh: boolean): SourceFailed {
    const { uri } = this.#asked;
    this.#parts.refusals.report({ url: this.#url, uri, reason, detail, isBlamed: fresh });
    return answer.failed(fresh ? 'false' : 'broken', detail);
  }
}

interface Along extends ShownProof, Pick<CalledProof, 'age'> {
  /** Whether it is of the node itself. */
  readonly isFresh: boolean;
}

/** The type of a problem that was answered. @throws SourceFailed */
async function problemIn(answer: NodeAnswer): Promise<string> {
  return parseProblem('application/problem+json', await readWhole(answer, longestProblem)).type;
}

const longestProblem = 65_536;

/** Making one takes as long as a short answer. */
function labelOf(namespace: Namespace): string {
  const known = labels.get(namespace);
  if (known !== undefined) return known;
  const label = namespaceLabel(namespace);
  if (labels.size >= mostLabels) labels.clear();
  labels.set(namespace, label);
  return label;
}

const labels = new Map<Namespace, string>();
const mostLabels = 4096;

/** Which documents can have, or requests for them lead to. */
const documentStatuses: ReadonlySet<number> = new Set([200, 206, 301, 302, 303, 304, 307, 308, 404, 410, 416]);

/** What clocks differ by, and answers take, is no lie. */
const clockTolerance = 300_000;
