/** Whether a method is defined as safe (RFC 9110 §9.2.1 and the IANA method registry). Unknown methods are not. */
export const isSafeMethod = (method: string): boolean => safe.has(method);

/** Whether a method is defined as idempotent (RFC 9110 §9.2.2 and the IANA method registry). Unknown methods are not. */
export const isIdempotentMethod = (method: string): boolean => safe.has(method) || idempotentUnsafe.has(method);

const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH']);

const idempotentUnsafe: ReadonlySet<string> = new Set([
  'PUT',
  'DELETE',
  'ACL',
  'BASELINE-CONTROL',
  'BIND',
  'CHECKIN',
  'CHECKOUT',
  'COPY',
  'LABEL',
  'LINK',
  'MERGE',
  'MKACTIVITY',
  'MKCALENDAR',
  'MKCOL',
  'MKREDIRECTREF',
  'MKWORKSPACE',
  'MOVE',
  'ORDERPATCH',
  'PROPPATCH',
  'REBIND',
  'UNBIND',
  'UNCHECKOUT',
  'UNLINK',
  'UNLOCK',
  'UPDATE',
  'UPDATEREDIRECTREF',
  'VERSION-CONTROL',
]);
