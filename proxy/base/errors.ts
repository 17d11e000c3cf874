import type { EpochMs, Seconds } from '../../config/units.js';

/**
 * The one error table: every way in which a request can fail, with the status a client sees, whose fault it is, whether
 * the same request may be tried again elsewhere, and the `Proxy-Status` error type (RFC 9209 §2.3).
 */
export type Fault = 'downstream' | 'upstream' | 'internal';

export interface ErrorKind {
  readonly status: number;
  readonly fault: Fault;
  readonly retryable: boolean;
  /** RFC 9209 §2.3 error type, for answers that this node generated. */
  readonly proxyStatus: string;
  /** One plain sentence for the person who sees the answer. */
  readonly title: string;
}

const kind = (status: number, fault: Fault, retryable: boolean, proxyStatus: string, title: string): ErrorKind => ({
  status,
  fault,
  retryable,
  proxyStatus,
  title,
});

export const errorTable = {
  // what the client sent
  'bad-request': kind(400, 'downstream', false, 'http_request_error', 'The request is malformed.'),
  'header-timeout': kind(408, 'downstream', false, 'http_request_error', 'The request did not arrive in time.'),
  'uri-too-long': kind(414, 'downstream', false, 'http_request_error', 'The request target is too long.'),
  'fields-too-large': kind(431, 'downstream', false, 'http_request_error', 'The request fields are too large.'),
  'content-too-large': kind(413, 'downstream', false, 'http_request_error', 'The content of the request is too large.'),
  'media-type': kind(415, 'downstream', false, 'http_request_error', 'The content has a type that is not taken here.'),
  'expectation-failed': kind(417, 'downstream', false, 'http_request_error', 'The expectation cannot be met.'),
  'method-not-allowed': kind(405, 'downstream', false, 'http_request_denied', 'The method is not allowed here.'),
  'not-implemented': kind(501, 'downstream', false, 'http_request_error', 'The request needs something unsupported.'),
  'version-not-supported': kind(505, 'downstream', false, 'http_request_error', 'The HTTP version is not supported.'),
  misdirected: kind(421, 'downstream', false, 'http_request_denied', 'This server does not serve that host.'),
  'not-found': kind(404, 'downstream', false, 'http_request_denied', 'There is nothing here.'),
  'client-not-allowed': kind(403, 'downstream', false, 'http_request_denied', 'This client may not use the proxy.'),
  'destination-refused': kind(
    403,
    'downstream',
    false,
    'destination_ip_prohibited',
    'The proxy may not connect there.',
  ),
  'access-denied': kind(403, 'downstream', false, 'http_request_denied', 'The rules of this proxy do not allow this.'),
  'authentication-required': kind(
    407,
    'downstream',
    false,
    'http_request_denied',
    'The proxy wants to know who you are.',
  ),
  'operator-refused': kind(403, 'downstream', false, 'http_request_denied', 'This is for the operator only.'),
  'operator-token': kind(401, 'downstream', false, 'http_request_denied', 'This needs the token of the operator.'),
  'too-many-attempts': kind(429, 'downstream', true, 'http_request_denied', 'Too many failed attempts to log in.'),
  'rate-limited': kind(429, 'downstream', true, 'http_request_denied', 'This client sends too many requests.'),
  'too-many-connections': kind(429, 'downstream', true, 'http_request_denied', 'This client has too many connections.'),
  'port-refused': kind(
    403,
    'downstream',
    false,
    'http_request_denied',
    'The proxy may not open a tunnel to that port.',
  ),
  loop: kind(508, 'downstream', false, 'proxy_loop_detected', 'The request came round in a loop.'),
  'tls-only': kind(403, 'downstream', false, 'http_request_denied', 'This is to be read by TLS only.'),
  'not-cached': kind(
    504,
    'downstream',
    false,
    'http_request_denied',
    'Not stored here, and only a stored answer was asked for.',
  ),
  'client-gone': kind(499, 'downstream', false, 'connection_terminated', 'The client went away.'),
  'too-busy': kind(503, 'internal', true, 'connection_limit_reached', 'The proxy is at its limit.'),
  'store-busy': kind(409, 'downstream', true, 'http_request_error', 'The store is being worked on already.'),
  'store-unwell': kind(503, 'internal', true, 'proxy_internal_error', 'The store on disk does not work.'),
  'not-primary': kind(
    409,
    'downstream',
    false,
    'http_request_denied',
    'This node is not the primary of the namespace.',
  ),
  'promotion-refused': kind(409, 'downstream', false, 'http_request_denied', 'This node cannot become the primary.'),
  'content-unavailable': kind(
    503,
    'internal',
    true,
    'proxy_internal_error',
    'The document cannot be read at the moment.',
  ),
  behind: kind(503, 'internal', true, 'proxy_internal_error', 'This copy is older than one that was seen already.'),
  unconfirmed: kind(503, 'internal', true, 'proxy_internal_error', 'Nobody has confirmed this copy for too long.'),
  // what the origin server, or the way to it, did
  'dns-failed': kind(502, 'upstream', true, 'dns_error', 'The host name could not be resolved.'),
  'dns-timeout': kind(504, 'upstream', true, 'dns_timeout', 'The host name could not be resolved in time.'),
  'name-unknown': kind(502, 'upstream', true, 'dns_error', 'Nobody has given this name to anything.'),
  'name-circle': kind(502, 'upstream', false, 'dns_error', 'This name leads to other names only.'),
  'connect-refused': kind(502, 'upstream', true, 'connection_refused', 'The server refused the connection.'),
  'connect-failed': kind(502, 'upstream', true, 'destination_ip_unroutable', 'The server could not be reached.'),
  'connect-timeout': kind(504, 'upstream', true, 'connection_timeout', 'The server could not be reached in time.'),
  'tls-certificate': kind(502, 'upstream', true, 'tls_certificate_error', "The server's certificate is not valid."),
  'tls-failed': kind(502, 'upstream', true, 'tls_protocol_error', 'The secure connection to the server failed.'),
  'upstream-reset': kind(502, 'upstream', true, 'connection_terminated', 'The server closed the connection too early.'),
  'upstream-timeout': kind(504, 'upstream', true, 'http_response_timeout', 'The server did not answer in time.'),
  'upstream-malformed': kind(502, 'upstream', true, 'http_protocol_error', 'The answer of the server was malformed.'),
  'upstream-incomplete': kind(502, 'upstream', true, 'http_response_incomplete', 'The answer of the server broke off.'),
  // what other nodes that hold a document, or the way to them, did
  'content-unreachable': kind(502, 'upstream', true, 'destination_unavailable', 'No copy of this could be reached.'),
  'chosen-failed': kind(
    502,
    'upstream',
    true,
    'destination_unavailable',
    'The server that was chosen for this site cannot answer.',
  ),
  // what the parent proxy, or the way to it, did
  'parent-unreachable': kind(502, 'upstream', true, 'destination_unavailable', 'The parent proxy cannot be reached.'),
  'parent-timeout': kind(504, 'upstream', true, 'connection_timeout', 'The parent proxy did not connect in time.'),
  'parent-refused': kind(502, 'upstream', true, 'connection_refused', 'The parent proxy refused to connect.'),
  'parent-failed': kind(502, 'upstream', true, 'http_protocol_error', 'The parent proxy failed.'),
  'parent-authentication': kind(
    502,
    'upstream',
    false,
    'proxy_configuration_error',
    'The parent proxy does not let this proxy through.',
  ),
  // ourselves
  internal: kind(500, 'internal', false, 'proxy_internal_error', 'The proxy failed.'),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorTable;

/** A failure named in the error table. `message` is the detail for the log and for the answer's `detail`. */
export class WillisError extends Error {
  override readonly name = 'WillisError';
  readonly kind: ErrorKind;
  /** Field lines that the answer has to have, names and values in turns: `Proxy-Authenticate`, `Retry-After`. */
  readonly answerFields: readonly string[];
  /** Null where there was nobody to choose between. */
  readonly alternatives: Alternatives | null;
  /** Null if nothing is stored that a reader may be offered. */
  readonly copy: OfferedCopy | null;

  constructor(
    readonly code: ErrorCode,
    message: string,
    options: ErrorFacts & { cause?: unknown } = {},
  ) {
    super(message, options);
    this.answerFields = options.answerFields ?? none;
    this.alternatives = options.alternatives ?? null;
    this.copy = options.copy ?? null;
    this.kind = errorTable[code];
  }

  /** The same failure, of which more is known. */
  with(facts: ErrorFacts): WillisError {
    const { code, message, answerFields, alternatives, copy } = this;
    const more = new WillisError(code, message, { answerFields, alternatives, copy, cause: this.cause, ...facts });
    if (this.stack !== undefined) more.stack = this.stack;
    return more;
  }
}

export interface ErrorFacts {
  readonly answerFields?: readonly string[];
  readonly alternatives?: Alternatives | null;
  readonly copy?: OfferedCopy | null;
}

/** Of whom a document was asked in vain, and who has not been asked: for readers, on no public side. */
export interface Alternatives {
  /** In the order in which they failed. `because` is in words for people. */
  readonly tried: readonly { readonly url: string; readonly because: string }[];
  /** `because`: why they were not; null if it was not their turn. */
  readonly left: readonly { readonly url: string; readonly because: string | null }[];
}

/** What is stored of the document, and would answer a request that does not insist on a newer one. */
export interface OfferedCopy {
  /** When the origin server had it so: the time now, less its age. */
  readonly asOf: EpochMs;
  readonly age: Seconds;
}

const none: readonly string[] = [];

/** The given failure if it stands in the table, otherwise an `internal` one with it as the cause. */
export function asWillisError(error: unknown): WillisError {
  if (error instanceof WillisError) return error;
  return new WillisError('internal', error instanceof Error ? error.message : String(error), { cause: error });
}
