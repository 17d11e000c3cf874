import { WillisError } from '../../proxy/base/errors.js';
import { parseRequestTarget } from '../../proxy/http/request-target.js';
import type { TargetUri } from '../../proxy/http/target-uri.js';

/**
 * Where a node has something.
 * @param url of the node, `https://m1.example`
 * @param path with its query, canonical
 * @throws WillisError bad-request for what is no URL of a node
 */
export function nodeTarget(url: string, path: string): TargetUri {
  let target = targets.get(url);
  if (target === undefined) {
    target = parsed(url);
    if (targets.size >= mostTargets) targets.clear();
    targets.set(url, target);
  }
  return { ...target, path };
}

function parsed(url: string): TargetUri {
  const context = { method: 'GET', host: undefined, secure: false, ownAuthority: '' };
  const target = parseRequestTarget(`${url}/`, context);
  if (target.form === 'absolute') return target.target;
  throw new WillisError('bad-request', 'the URL of a node begins with http:// or https://');
}

const targets = new Map<string, TargetUri>();
const mostTargets = 4096;
