import type { EpochMs } from '../../config/units.js';
import { BufferedBody, type Body } from '../http/body.js';
import { Fields } from '../http/fields.js';
import { formatHttpDate } from '../http/http-date.js';
import type { Request, Response } from '../http/message.js';

/** A whole answer to keep nowhere. To a HEAD request it goes without its content. */
export function answer(
  request: Pick<Request, 'method'>,
  now: EpochMs,
  { status, reason, type, text, more = {} }: OperatorAnswer,
): Response {
  const content = Buffer.from(text);
  const fields = Fields.of({
    Date: formatHttpDate(now),
    'Content-Type': type,
    'Content-Length': String(content.length),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...more,
  });
  const body = request.method === 'HEAD' ? null : BufferedBody.from(content);
  return { status, reason, fields, body };
}

/** An answer that is made while it is sent, to keep nowhere: lines of JSON. */
export function lineAnswer(now: EpochMs, body: Body): Response {
  const fields = Fields.of({
    Date: formatHttpDate(now),
    'Content-Type': 'application/x-ndjson',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  return { status: 200, reason: 'OK', fields, body };
}

export interface OperatorAnswer {
  readonly status: number;
  readonly reason: string;
  readonly type: string;
  readonly text: string;
  readonly more?: Readonly<Record<string, string>>;
}

export const json = (value: unknown): OperatorAnswer => ({
  ...{ status: 200, reason: 'OK', type: 'application/json' },
  text: `${JSON.stringify(value)}\n`,
});

export const plainText = (text: string, status = 200, reason = 'OK'): OperatorAnswer => ({
  ...{ status, reason, text },
  type: 'text/plain; charset=utf-8',
});
