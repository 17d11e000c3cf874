import { Fields } from '../http/fields.js';
import { hrefOf } from '../http/target-uri.js';
import type { ParentProxy } from './parent-proxy.js';
import type { OutgoingRequest } from './upstream.js';

/**
 * A request as a parent proxy takes it: the absolute form stands in place of the path (RFC 9112 §3.2.2), `Host` names the
 * same authority, which is all that a proxy goes by, and the proxy's credentials are there.
 */
export function relayedRequest(request: OutgoingRequest, parent: ParentProxy): OutgoingRequest {
  const { target, fields } = request;
  const { lines } = fields.without('host', 'proxy-authorization');
  return {
    ...request,
    target: { ...target, path: hrefOf(target) },
    fields: new Fields(['Host', target.authority, ...lines, ...parent.credentials]),
  };
}
