import { elapsedMonotonic, milliseconds, type EpochMs } from '../../config/units.js';
import type { Cancellation } from '../base/cancellation.js';
import type { Clock } from '../base/clock.js';
import { asWillisError, WillisError } from '../base/errors.js';
import type { AnsweredBy } from '../forward/answered-by.js';
import type { IncomingResponse } from '../forward/upstream.js';
import type { Body } from '../http/body.js';
import type { Fields } from '../http/fields.js';
import { withoutHopByHop } from '../http/hop-by-hop.js';
import { formatHttpDate } from '../http/http-date.js';
import type { Visit } from './visit.js';

/** A response as it came from upstream: end-to-end fields only, with this node's `Via` and a `Date`. */
export interface ReceivedResponse {
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
  readonly body: Body | null;
  /** Which of several nodes gave it; null where there was no choice. */
  readonly answeredBy: AnsweredBy | null;
  /** Nothing proves it, where what others get is proven: it changes nothing that is stored. */
  readonly isUnproven?: boolean;
  /** The fields of the request that it answers. */
  readonly sent: Fields;
  /** When the request was sent, and when the head of the response came (RFC 9111 §4.2.3). */
  readonly requestTime: EpochMs;
  readonly responseTime: EpochMs;
}

export interface ForwardingOptions {
  /** The fields to send: the route's, or those of a conditional or range request made from them. */
  readonly fields: Fields;
  readonly cancellation: Cancellation;
  /** This node's member of `Via` for a message received in that version. */
  readonly via: (version: string) => string;
  readonly clock: Clock;
}

/**
 * Forwards a request and receives the head of the answer.
 * @throws WillisError of the upstream part of the table; `client-gone` when it was cancelled
 */
export async function forward(visit: Visit, options: ForwardingOptions): Promise<ReceivedResponse> {
  const { request, route } = visit;
  const requestTime = options.clock.now();
  const sentAt = options.clock.monotonic();
  let incoming: IncomingResponse;
  try {
    incoming = await route.upstream.forward(
      {
        method: request.method,
        target: route.outgoing().target,
        fields: options.fields,
        body: request.body,
        client: request.client.address,
        expectContinue: request.fields.has('expect'),
      },
      {
        cancellation: options.cancellation,
        onInformational: (status, fields) => request.inform(status, withoutHopByHop(fields)),
      },
    );
  } catch (error) {
    if (options.cancellation.cancelled) throw new WillisError('client-gone', 'the client went away', { cause: error });
    throw asWillisError(error);
  }
  const responseTime = options.clock.now();
  const upstreamTime = elapsedMonotonic(sentAt, options.clock.monotonic());
  request.record.upstreamTime = milliseconds((request.record.upstreamTime ?? 0) + upstreamTime);
  const { status, reason, body, version } = incoming;
  const kept = withoutHopByHop(incoming.fields);
  const via = options.via(version);
  const fields = kept.has('date') ? kept.plus('Via', via) : kept.plus('Date', formatHttpDate(responseTime), 'Via', via);
  const { answeredBy = null, isUnproven = false } = incoming;
  return { status, reason, fields, body, answeredBy, isUnproven, sent: options.fields, requestTime, responseTime };
}
