import { bytes, type Bytes } from '../../config/units.js';
import type { Cancellation } from '../../proxy/base/cancellation.js';
import { asWillisError } from '../../proxy/base/errors.js';
import type { IncomingResponse } from '../../proxy/forward/upstream.js';
import type { Body } from '../../proxy/http/body.js';
import { parseContentRange, type ByteRange } from '../../proxy/http/range.js';
import type { PlaceAnswer } from './ask-place.js';
import { ContinuedBody, type BodySource } from './continued-body.js';
import { compare, versionIn, type DocumentVersion } from './document-version.js';
import type { MirrorErrand } from './mirror-errand.js';
import type { MirrorPlace } from './mirror-set.js';
import { fieldsForBytes } from './sent-to-mirrors.js';

/** Bytes of a document that are wanted. */
export interface WantedBytes {
  readonly version: DocumentVersion;
  /** How long the document is. */
  readonly length: Bytes;
  readonly range: ByteRange;
}

export const isWhole = ({ length, range }: WantedBytes): boolean => range.from === 0 && range.to === length;

/**
 * Why an answer does not have exactly the bytes that were asked for; null if it does.
 * @param all of what the digest is compared in the end; what was asked for is all of it, or its rest
 */
export function unfitFor(
  asked: WantedBytes,
  all: WantedBytes,
  { place, response }: PlaceAnswer,
  errand: MirrorErrand,
): string | null {
  const misshapen = misshapenFor(asked, response);
  if (misshapen !== null) return misshapen;
  const comparison = compare(all.version, versionIn(response, 'GET', errand.now()), {
    isWhole: isWhole(all),
    byDigestOnly: errand.original.target.scheme === 'https' && place.target.scheme === 'http',
  });
  if (!comparison.equal) return comparison.because;
  const { from, to } = asked.range;
  return response.body?.length === to - from ? null : 'content of another length than it says';
}

function misshapenFor(asked: WantedBytes, { status, fields }: IncomingResponse): string | null {
  const { range, length } = asked;
  if (status === 206) {
    const said = parseContentRange(fields.get('content-range') ?? '');
    if (said === null || 'unsatisfied' in said || said.from !== range.from || said.to !== range.to)
      return 'another range';
    if (said.length !== length) return `another length: ${said.length ?? 'unknown'} instead of ${length}`;
  } else if (status !== 200) return `status ${status}`;
  else if (!isWhole(asked)) return 'no ranges';
  return null;
}

/** The bytes, from that source and, where it breaks off, from others that have the same version. */
export function contentOf(first: BodySource, wanted: WantedBytes, errand: MirrorErrand): Body {
  const { settings, ground } = errand.parts;
  const succession = new Succession(wanted, errand);
  return new ContinuedBody(first, {
    range: wanted.range,
    digest: isWhole(wanted) ? wanted.version.digest : null,
    patience: settings.patience,
    clock: ground.clock,
    next: (from, failed, cancellation) => succession.next(from, failed, cancellation),
    onFalse: (senders) => errand.blame(senders, wanted.version),
  });
}

/** Who goes on with a content that broke off. */
class Succession {
  readonly #failed = new Set<MirrorPlace>();
  #last: Bytes;

  constructor(
    private readonly wanted: WantedBytes,
    private readonly errand: MirrorErrand,
  ) {
    this.#last = wanted.range.from;
  }

  async next(from: Bytes, failed: MirrorPlace, cancellation: Cancellation): Promise<BodySource | null> {
    const hasProgressed = from > this.#last;
    this.#last = from;
    this.#failed.add(failed);
    const { ground, settings } = this.errand.parts;
    const ranked = this.errand.ranked(bytes(this.wanted.range.to - from)).map(({ place }) => place);
    const others = ranked.filter((place) => !this.#failed.has(place));
    const mirrors = others.filter(({ role }) => role === 'mirror').slice(0, settings.attempts);
    const again = hasProgressed ? [failed] : [];
    for (const place of [...others.filter((one) => one.role === 'primary' || mirrors.includes(one)), ...again]) {
      const source = await this.#from(place, from, cancellation);
      if (source !== null) {
        ground.counts.continued.add();
        return source;
      }
      if (cancellation.cancelled) return null;
      this.#failed.add(place);
    }
    return null;
  }

  async #from(place: MirrorPlace, from: Bytes, cancellation: Cancellation): Promise<BodySource | null> {
    const { errand, wanted } = this;
    const rest: WantedBytes = { ...wanted, range: { from, to: wanted.range.to } };
    const fields = fieldsForBytes(errand.request.fields, rest.range, wanted.version.coding);
    const { patience } = errand.parts.settings;
    const answer = await errand.ask(place, fields, { patience, cancellation, method: 'GET' }).catch(asWillisError);
    if (!('response' in answer)) return null;
    const { body } = answer.response;
    const unfit = unfitFor(rest, wanted, answer, errand);
    if (unfit === null && body !== null) return { place, body, attempt: answer.attempt };
    if (unfit !== null) errand.skip(place, unfit, 'unequal');
    answer.attempt.abandoned();
    body?.cancel();
    return null;
  }
}
