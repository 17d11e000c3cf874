import type { Fields } from '../../proxy/http/fields.js';
import { parseList, Token } from '../../proxy/http/structured-fields.js';

/**
 * Whose fault an answer with 5xx is: of the `node` that gave it, of somebody `beyond` it whom it asked (RFC 9209 §2.3, RFC 9211
 * §2.3), or of nobody, because it was asked not to ask anybody. Null if the answer is no failure.
 */
export function whoseFault(status: number, fields: Fields): 'node' | 'beyond' | 'nobody' | null {
  if (status < 500) return null;
  for (const params of membersOf(fields.get('proxy-status'))) {
    const error = params.get('error');
    const received = params.get('received-status');
    if (typeof received === 'number' && received >= 500) return 'beyond';
    if (!(error instanceof Token)) continue;
    if (error.toString() === 'http_request_denied') return 'nobody';
    if (!ownErrors.has(error.toString())) return 'beyond';
  }
  const isForwarded = membersOf(fields.get('cache-status')).some((params) => params.has('fwd-status'));
  return isForwarded ? 'beyond' : 'node';
}

/** Parameters of the members of a list. */
const membersOf = (value: string | undefined): ReadonlyMap<string, unknown>[] =>
  (value === undefined ? null : parseList(value))?.map(({ params }) => params) ?? [];

/** Others are about the next hop. */
const ownErrors: ReadonlySet<string> = new Set([
  'proxy_internal_error',
  'proxy_internal_response',
  'proxy_configuration_error',
  'connection_limit_reached',
]);
