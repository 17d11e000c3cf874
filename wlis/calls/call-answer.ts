import { BufferedBody, type Body } from '../../proxy/http/body.js';
import { Fields, splitList, trimOws } from '../../proxy/http/fields.js';
import type { Request, Response } from '../../proxy/http/message.js';
import { canonicalJson } from '../trust/canonical-json.js';
import type { CallProblem } from './call-problem.js';
import { GzippedBody } from './gzipped-body.js';

/** A whole answer, to be kept nowhere. @param fields more of them, names and values in turns */
export function wholeAnswer(type: string, content: string | Buffer, fields: readonly string[] = []): Response {
  const body = BufferedBody.from(content);
  return { ...okay, fields: new Fields([...kept(type), 'Content-Length', String(body.length), ...fields]), body };
}

/** An answer that is made while it is sent, gzipped for whoever takes that; to be kept nowhere. */
export function madeAnswer(
  request: Pick<Request, 'fields'>,
  type: string,
  body: Body,
  fields: readonly string[] = [],
): Response {
  const isGzipped = takesGzip(request.fields);
  const coding = isGzipped ? ['Content-Encoding', 'gzip'] : [];
  return {
    ...okay,
    fields: new Fields([...kept(type), 'Vary', 'Accept-Encoding', ...coding, ...fields]),
    body: isGzipped ? new GzippedBody(body) : body,
  };
}

/** A problem as `application/problem+json` (RFC 9457). */
export function problemAnswer({ status, type, message, fields }: CallProblem): Response {
  const body = BufferedBody.from(canonicalJson({ type: `${PROBLEM}${type}`, status, detail: printable(message) }));
  const lines = [...kept('application/problem+json'), 'Content-Length', String(body.length), ...fields];
  return { status, reason: reasons[status] ?? '', fields: new Fields(lines), body, note: { error: type } };
}

/** What the `type` of a problem begins with. */
export const PROBLEM = 'urn:willis:problem:';

/** The same answer for a HEAD request (RFC 9110 §9.3.2). */
export function withoutContent(response: Response): Response {
  response.body?.cancel();
  return { ...response, body: null };
}

const kept = (type: string): string[] => [
  ...['Content-Type', type, 'Cache-Control', 'no-store'],
  ...['X-Content-Type-Options', 'nosniff'],
];

function takesGzip(fields: Fields): boolean {
  const weights = new Map<string, number>();
  for (const member of splitList(fields.get('accept-encoding') ?? '')) {
    const [coding = '', weight = 'q=1'] = member.split(';').map((part) => trimOws(part).toLowerCase());
    weights.set(coding, Number(/^q=([01](?:\.\d{0,3})?)$/.exec(weight)?.[1] ?? 0));
  }
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0;
}

/** Half of a character cannot be written as JSON. */
const printable = (text: string): string => text.replace(/\p{Surrogate}/gu, '?');

const okay = { status: 200, reason: 'OK' } as const;

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'Content Too Large',
  416: 'Range Not Satisfiable',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};
