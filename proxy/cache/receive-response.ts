import type { EpochMs } from '../../config/units.js';
import type { Clock } from '../base/clock.js';
import { asWillisError, WillisError } from '../base/errors.js';
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
  /** The fields of the request that it answers. */
  readonly sent: Fields;
  /** When the request was sent, and when the head of the response came (RFC 9111 §4.2.3). */
  readonly requestTime: EpochMs;
  readonly responseTime: EpochMs;
}

export interface ForwardingOptions {
  /** The fields to send: the route's, or those of a conditional or range request made from them. */
  readonly fields: Fields;
  readonly signal: AbortSignal;
  /** This node's member of `Via` for a message received in that version. */
  readonly via: (version: string) => string;
  readonly clock: Clock;
}

/**
 * Forwards a request and receives the head of the answer.
 * @throws WillisError of the upstream part of the table; `client-gone` when the signal gave up
 */
export async function forward(visit: Visit, options: ForwardingOptions): Promise<ReceivedResponse> {
  const { request, route } = visit;
  const requestTime = options.clock.now();
  let incoming: IncomingResponse;
  try {
    incoming = await route.upstream.forward(
      {
        method: request.method,
        target: route.outgoing().target,
        fields: options.fields,
        body: request.body,
        expectContinue: request.fields.has('expect'),
      },
      { signal: options.signal, onInformational: (status, fields) => request.inform(status, withoutHopByHop(fields)) },
    );
  } catch (error) {
    if (options.signal.aborted) throw new WillisError('client-gone', 'the client went away', { cause: error });
    throw asWillisError(error);
  }
  const responseTime = options.clock.now();
  const lines = withoutHopByHop(incoming.fields);
  const dated = lines.has('date') ? lines : lines.plus('Date', formatHttpDate(responseTime));
  const { status, reason, body, version } = incoming;
  const fields = dated.plus('Via', options.via(version));
  return { status, reason, fields, body, sent: options.fields, requestTime, responseTime };
}
