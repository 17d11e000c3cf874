import type { Request } from '../../proxy/http/message.js';
import type { HeldNamespace } from '../held-namespace.js';

/**
 * Why only the primary of a namespace may answer a request that has come to a replica; null if the replica may. `method`: it is
 * no GET, HEAD or OPTIONS; `credentials`: the namespace answers those who show some by itself; `unknown`: there is no such
 * document here, and that means nothing (protocol decisions 17 and 18).
 *
 * @param has whether there is a document for the target of the request
 */
export function forPrimary(
  { method, fields, target }: Pick<Request, 'method' | 'fields' | 'target'>,
  { policy }: Pick<HeldNamespace, 'policy'>,
  has: () => boolean,
): 'method' | 'credentials' | 'unknown' | null {
  if (!answeredHere.has(method)) return 'method';
  if (policy.credentials === 'primary' && (fields.has('authorization') || fields.has('cookie'))) return 'credentials';
  const isOpen = !policy.complete || (policy.query === 'forward' && target.path.includes('?'));
  return isOpen && !has() ? 'unknown' : null;
}

const answeredHere: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
