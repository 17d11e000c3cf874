import { parseRequestTarget } from '../../http/request-target.js';
import type { TargetUri } from '../../http/target-uri.js';
import { WillisError } from '../../base/errors.js';
import type { MirrorSpace } from '../../../wlis/html/mirror/mirror-space.js';
import { canonicalPath } from '../../../wlis/canonical-path.js';
import { originOf, type Namespace } from '../../../wlis/namespace.js';
import { NotCanonical } from '../../../wlis/not-canonical.js';

/**
 * What is asked for there, as the origin has it.
 * @param path in a path space inside the namespace, otherwise at its origin; with its query, as received
 * @throws WillisError bad-request for what no document can have
 */
export function mirrorTarget(namespace: Namespace, kind: MirrorSpace['kind'], path: string): TargetUri {
  const context = { method: 'GET', host: undefined, secure: false, ownAuthority: '' };
  const parsed = parseRequestTarget((kind === 'path' ? namespace : originOf(namespace)) + path, context);
  if (parsed.form !== 'absolute') throw new WillisError('bad-request', `${namespace} has nothing of that name`);
  try {
    canonicalPath(parsed.target.path);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw new WillisError('bad-request', `${parsed.target.path}: ${error.message}`, { cause: error });
  }
  return parsed.target;
}
