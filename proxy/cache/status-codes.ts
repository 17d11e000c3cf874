/**
 * Whether this cache understands what a final status code means for caching, as `must-understand` demands (RFC 9111 §3,
 * §5.2.2.3): those of RFC 9110 §15, and the further registered ones whose definitions it follows.
 */
export const isUnderstood = (status: number): boolean => understood.has(status);

/**
 * Whether a response may be given a heuristic lifetime by its status alone: RFC 9110 §15.1, and 451 by RFC 7725 §3.
 */
export const isHeuristicallyCacheable = (status: number): boolean => heuristicallyCacheable.has(status);

/** Whether a status says definitely that there is no such thing; not a fault of the moment, as other 4xx and 5xx are. */
export const isDefinitiveNegative = (status: number): boolean => definitiveNegative.has(status);

/**
 * Whether a final status is about one message and not about the resource, so that no other request may get it, whatever
 * its freshness: what a client's own credentials, preconditions, ranges, expectations or connection provoked (RFC 9110
 * §15), 425 (RFC 8470 §5.2), 428, 429, 431 and 511 (RFC 6585), 226 (RFC 3229 §10.4.1) and 304, which only
 * updates what is stored.
 */
export const isNeverStored = (status: number): boolean => status < 200 || status > 999 || neverStored.has(status);

const heuristicallyCacheable: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 451, 501,
]);

const definitiveNegative: ReadonlySet<number> = new Set([404, 405, 410, 414, 501]);

const neverStored: ReadonlySet<number> = new Set([
  226, 304, 401, 407, 408, 412, 416, 417, 421, 425, 426, 428, 429, 431, 511,
]);

const understood: ReadonlySet<number> = new Set([
  ...[200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 305, 307, 308],
  ...[400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 425, 426],
  ...[428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 511],
]);
