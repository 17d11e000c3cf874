import { seconds, type EpochMs, type Seconds } from '../../config/units.js';
import type { WillisError } from '../base/errors.js';
import { BufferedBody } from './body.js';
import { errorPage, type ErrorReport } from './error-page.js';
import { offeredMembers, type ErrorOffers } from './error-offers.js';
import { Fields } from './fields.js';
import { formatHttpDate } from './http-date.js';
import { acceptance } from './media-type.js';
import type { Response } from './message.js';
import { proxyStatus } from './proxy-status.js';

/** As much as an error answer says of the request, which may not have been understood. */
export interface FailedRequest {
  readonly method: string;
  readonly fields: Fields;
  readonly id: string;
  /** The target URI, or the request target if no URI could be made of it; null if there is none. */
  readonly href: string | null;
}

export interface ErrorResponseOptions {
  /** For `Allow` of a 405: the methods that are allowed (RFC 9110 §15.5.6). */
  readonly allow?: readonly string[];
  /** For `Retry-After` of a 503. */
  readonly retryAfter?: Seconds;
  /** Leaves out what is not for the public: the detail of what went wrong further in, and which rule was broken. */
  readonly concealUpstream?: boolean;
  /** URL of the page where readers choose between the servers of an address; null if there is none. */
  readonly choicePage?: ((href: string) => string) | null;
}

/**
 * The answer to a request that failed: a page for people where the client prefers `text/html`, otherwise
 * `application/problem+json` (RFC 9457). It is not for caches, and its `Proxy-Status` (RFC 9209) says that this node
 * generated it and why. Whatever came from a peer is escaped; what went wrong inside stays inside.
 */
export function errorResponse(
  error: WillisError,
  request: FailedRequest,
  node: { readonly name: string },
  now: EpochMs,
  options: ErrorResponseOptions = {},
): Response {
  const report = reportOf(error, request, node.name, options);
  const html = prefersHtml(request.fields.get('accept'));
  const content = Buffer.from(html ? errorPage(report) : problem(report));
  const fields = [
    ...['Date', formatHttpDate(now)],
    ...['Content-Type', html ? 'text/html; charset=utf-8' : 'application/problem+json'],
    ...['Content-Length', String(content.length)],
    ...['Content-Language', 'en'],
    ...['Cache-Control', 'no-store'],
    ...['Vary', 'Accept'],
    ...['Proxy-Status', proxyStatus(node.name, { error: error.kind.proxyStatus, ...detailOf(report) })],
    ...['X-Content-Type-Options', 'nosniff'],
    ...(html ? ['Content-Security-Policy', pagePolicy, 'Referrer-Policy', 'no-referrer'] : []),
    ...(report.status === 503 && !error.answerFields.includes('Retry-After')
      ? ['Retry-After', String(Math.ceil(options.retryAfter ?? soon))]
      : []),
    ...error.answerFields,
    ...(report.status === 405 && !error.answerFields.includes('Allow')
      ? ['Allow', (options.allow ?? []).join(', ')]
      : []),
  ];
  return {
    status: report.status,
    reason: report.reason,
    fields: new Fields(fields),
    body: request.method === 'HEAD' ? null : new BufferedBody([content]),
    note: { error: error.code },
  };
}

const soon = seconds(5);

const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const detailOf = ({ detail }: ErrorReport): { detail?: string } => (detail === '' ? {} : { detail });

function reportOf(
  error: WillisError,
  request: FailedRequest,
  nodeName: string,
  options: ErrorResponseOptions,
): ErrorReport {
  const { concealUpstream = false, choicePage = null } = options;
  const { status, title, fault, retryable } = error.kind;
  const concealed =
    fault === 'internal' || (concealUpstream && (fault === 'upstream' || error.code === 'access-denied'));
  return {
    status,
    reason: reasons[status] ?? '',
    code: error.code,
    title,
    detail: concealed ? '' : error.message,
    fault,
    retryable,
    nodeName,
    id: request.id,
    href: request.href,
    ...(concealUpstream ? noOffers : offersOf(error, request, choicePage)),
  };
}

function offersOf(
  { alternatives, copy }: WillisError,
  { href }: FailedRequest,
  choicePage: ((href: string) => string) | null,
): ErrorOffers {
  const again = href !== null && href.length <= longestLink && /^https?:\/\/[\x21-\x7e]+$/i.test(href) ? href : null;
  const choose = choicePage === null || again === null ? null : choicePage(again);
  return { alternatives, copy, choose, again };
}

const noOffers: ErrorOffers = { alternatives: null, copy: null, choose: null, again: null };
const longestLink = 4096;

/** Members as in RFC 9457 §3.1; without a `type` the title is the reason phrase (§4.2.1). */
function problem(report: ErrorReport): string {
  const { status, reason, code, title, detail, id } = report;
  return `${JSON.stringify({
    title: reason,
    status,
    detail: detail === '' ? title : `${title} ${detail}`,
    code,
    requestId: id,
    instance: `urn:willis:request:${encodeURIComponent(id)}`,
    ...offeredMembers(report),
  })}\n`;
}

/** Only if the client names `text/html` and likes JSON no better, or takes no JSON at all. */
function prefersHtml(accept: string | undefined): boolean {
  const html = acceptance(accept, 'text/html');
  const json = Math.max(
    acceptance(accept, 'application/problem+json').quality,
    acceptance(accept, 'application/json').quality,
  );
  return html.quality > 0 && (json === 0 || (html.named && html.quality >= json));
}

/** Reason phrases of the statuses in the error table. */
const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  508: 'Loop Detected',
};
