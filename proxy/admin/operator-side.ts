import type { Clock } from '../base/clock.js';
import { WillisError } from '../base/errors.js';
import { BufferedBody } from '../http/body.js';
import { Fields } from '../http/fields.js';
import { formatHttpDate } from '../http/http-date.js';
import type { Request, Response } from '../http/message.js';

export interface OperatorSideOptions {
  readonly clock: Clock;
  /** Whether a client of that address may ask. */
  readonly admits: (address: string) => boolean;
}

/** The operator side: `GET /healthz` says that the process is up and takes requests. @throws WillisError otherwise */
export function answerOperator(request: Request, { clock, admits }: OperatorSideOptions): Response {
  if (!admits(request.client.address)) {
    throw new WillisError('client-not-allowed', `${request.client.address} is not among access.clients`);
  }
  if (request.target.path !== '/healthz') throw new WillisError('not-found', 'the operator side has /healthz only');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new WillisError('method-not-allowed', '/healthz can only be read');
  }
  const fields = Fields.of({
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': '3',
    'Cache-Control': 'no-store',
    Date: formatHttpDate(clock.now()),
  });
  return { status: 200, reason: 'OK', fields, body: request.method === 'HEAD' ? null : BufferedBody.from('ok\n') };
}
