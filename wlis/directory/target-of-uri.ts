import type { TargetUri } from '../../proxy/http/target-uri.js';
import type { CanonicalUri } from '../canonical-uri.js';
import { originOf } from '../namespace.js';

/** The parts of a URI, as a request for it has them. */
export function targetOfUri(uri: CanonicalUri): TargetUri {
  const origin = originOf(uri);
  const [scheme, authority = ''] = origin.split('://');
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(authority) ?? [];
  const isSecure = scheme === 'https';
  return {
    scheme: isSecure ? 'https' : 'http',
    host,
    port: port === undefined ? (isSecure ? 443 : 80) : Number(port),
    authority,
    path: uri.slice(origin.length),
  };
}
