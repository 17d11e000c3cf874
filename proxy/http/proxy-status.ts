import { printable, serializeItem, tokenOrString, Token, type BareItem } from './structured-fields.js';

/** What this node has to say about how it handled a response (RFC 9209 §2.1). */
export interface ProxyStatus {
  /** An error type of RFC 9209 §2.3, as the error table names it. */
  readonly error?: string;
  readonly detail?: string;
  /** Status code of the response that came from the next hop. */
  readonly receivedStatus?: number;
  /** Host name, address or alias of the next hop. */
  readonly nextHop?: string;
}

/**
 * This node's member of `Proxy-Status` (RFC 9209 §2), a Structured Fields Item: `berlin-1;error=dns_error;detail="…"`.
 * Intermediaries add theirs after those that came from further in.
 */
export function proxyStatus(name: string, status: ProxyStatus): string {
  const params = new Map<string, BareItem>();
  if (status.error !== undefined) params.set('error', new Token(status.error));
  if (status.nextHop !== undefined) params.set('next-hop', tokenOrString(status.nextHop));
  if (status.receivedStatus !== undefined) params.set('received-status', status.receivedStatus);
  if (status.detail !== undefined) params.set('details', printable(status.detail).slice(0, longestDetail));
  return serializeItem(tokenOrString(name), params);
}

const longestDetail = 200;
