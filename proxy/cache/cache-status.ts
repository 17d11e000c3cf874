import type { Seconds } from '../../config/units.js';

/** The request was answered by a stored response (RFC 9211 §2.1). */
export interface Hit {
  readonly hit: true;
  /** Remaining freshness lifetime; negative for a stale response (§2.4). */
  readonly ttl?: Seconds | undefined;
  readonly detail?: string | undefined;
}

/** The request went forward (RFC 9211 §2.2). */
export interface Forwarded {
  readonly fwd: 'uri-miss' | 'vary-miss' | 'miss' | 'stale' | 'request' | 'bypass' | 'method' | 'partial';
  readonly fwdStatus?: number | undefined;
  readonly stored?: boolean;
  readonly collapsed?: boolean;
  readonly ttl?: Seconds | undefined;
  readonly key?: string | undefined;
  readonly detail?: string | undefined;
}

/** This cache's member of `Cache-Status`: `willis; hit; ttl=30` (RFC 9211 §2), a Structured Fields list member. */
export function cacheStatus(name: string, what: Hit | Forwarded): string {
  let member = tokenOrString(name);
  if ('hit' in what) return `${member}; hit${ttlOf(what.ttl)}${detailOf(what.detail)}`;
  member += `; fwd=${what.fwd}`;
  if (what.fwdStatus !== undefined) member += `; fwd-status=${what.fwdStatus}`;
  member += ttlOf(what.ttl);
  if (what.stored === true) member += '; stored';
  if (what.collapsed === true) member += '; collapsed';
  if (what.key !== undefined) member += `; key=${quoted(what.key)}`;
  return member + detailOf(what.detail);
}

/** Structured Fields integers have at most 15 digits (RFC 9651 §3.3.1). */
const largest = 999_999_999_999_999;

function ttlOf(ttl: Seconds | undefined): string {
  if (ttl === undefined || Number.isNaN(ttl)) return '';
  // without the sign that zero may bear
  return `; ttl=${Math.max(-largest, Math.min(largest, Math.floor(ttl))) + 0}`;
}

const detailOf = (detail: string | undefined): string =>
  detail === undefined ? '' : `; detail=${tokenOrString(detail)}`;

const tokenOrString = (value: string): string => (isToken.test(value) ? value : quoted(value));

/** sf-token (RFC 9651 §3.3.4). */
const isToken = /^[A-Za-z*][\w!#$%&'*+.^`|~:/-]*$/;

/** sf-string (RFC 9651 §3.3.3); what it cannot hold becomes a question mark. */
const quoted = (value: string): string => `"${isPlain.test(value) ? value : escaped(value)}"`;

const escaped = (value: string): string => value.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&');

const isPlain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
