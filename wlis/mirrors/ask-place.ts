import type { Milliseconds } from '../../config/units.js';
import { Cancellation } from '../../proxy/base/cancellation.js';
import { asWillisError, WillisError, type ErrorCode } from '../../proxy/base/errors.js';
import type { Fields } from '../../proxy/http/fields.js';
import type { ForwardOptions, IncomingResponse, OutgoingRequest, Upstream } from '../../proxy/forward/upstream.js';
import type { FailureReason } from '../choice/choice.js';
import type { Attempt, Attempts } from '../health/attempts.js';
import type { MirrorPlace } from './mirror-set.js';

export interface AskOptions extends ForwardOptions {
  readonly upstream: Upstream;
  readonly attempts: Attempts;
  /** How long the head of the answer may take; null: as long as the upstream allows. */
  readonly patience: Milliseconds | null;
}

/** The head of an answer, and the attempt that is to be ended by whoever reads the rest. */
export interface PlaceAnswer {
  readonly place: MirrorPlace;
  readonly response: IncomingResponse;
  readonly attempt: Attempt;
}

/**
 * Sends a request to one place. An answer of 5xx or 429 is a failure of the place all the same; it is given back, its
 * attempt ended.
 * @throws WillisError; the attempt has ended
 */
export async function askPlace(
  place: MirrorPlace,
  request: OutgoingRequest,
  options: AskOptions,
): Promise<PlaceAnswer> {
  const attempt = options.attempts.begin(place.url);
  try {
    const response = await withPatience(place, request, options);
    attempt.answered();
    if (isUnwell(response.status)) attempt.failed('status', `status ${response.status}`);
    return { place, response, attempt };
  } catch (error) {
    const reason = failureOf(asWillisError(error).code);
    if (reason === null) attempt.abandoned();
    else attempt.failed(reason);
    throw error;
  }
}

/** Whether an answer says that the server cannot answer at the moment, rather than something of the document. */
export const isUnwell = (status: number): boolean => status >= 500 || status === 429;

/** The request as it is sent to a place. */
export function requestTo(place: MirrorPlace, request: OutgoingRequest, fields: Fields): OutgoingRequest {
  const { target } = place;
  return { ...request, target, fields: fields.with('Host', target.authority), body: null };
}

/** What a failure says of the server that was asked; null if it says nothing of it. */
export function failureOf(code: ErrorCode): FailureReason | null {
  if (code === 'upstream-timeout') return 'silent';
  if (code.startsWith('upstream-')) return 'broken';
  return /^(?:dns|connect|tls|parent)-/.test(code) ? 'unreachable' : null;
}

async function withPatience(
  place: MirrorPlace,
  request: OutgoingRequest,
  { upstream, cancellation, patience, onInformational }: AskOptions,
): Promise<IncomingResponse> {
  const options = { cancellation, ...(onInformational && { onInformational }) };
  if (patience === null) return upstream.forward(request, options);
  const own = new Cancellation();
  if (cancellation.reason !== null) own.cancel(cancellation.reason);
  cancellation.add(own);
  const timer = setTimeout(() => own.cancel(new Late(place, patience)), patience);
  try {
    return await upstream.forward(request, { ...options, cancellation: own });
  } catch (error) {
    throw own.reason instanceof Late ? own.reason : error;
  } finally {
    clearTimeout(timer);
    cancellation.remove(own);
  }
}

class Late extends WillisError {
  constructor({ url }: MirrorPlace, patience: Milliseconds) {
    super('upstream-timeout', `${url} was silent for ${patience} ms`);
  }
}
