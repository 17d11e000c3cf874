import { WillisError } from '../base/errors.js';
import { parseHost, parseRequestTarget } from '../http/request-target.js';
import { hrefOf, originOf, type TargetUri } from '../http/target-uri.js';
import type { PurgeSelector } from './purge.js';

/** One URI; without a scheme (`example.org/a`) it stands for http and https. @throws WillisError bad-request */
export const purgeUri = (text: string): PurgeSelector => ({ kind: 'uri', uris: targets(text).map(hrefOf) });

/** All URIs that begin with a text, which has at least a whole authority. @throws WillisError bad-request */
export const purgePrefix = (text: string): PurgeSelector => ({ kind: 'prefix', prefixes: targets(text).map(hrefOf) });

/** A host on all ports, or `host:port`. @throws WillisError bad-request */
export function purgeHost(text: string): PurgeSelector {
  const authority = parseHost(text);
  if (authority === null) throw refused(`'${text}' is neither a host nor host:port`);
  const { host, port } = authority;
  return { kind: 'host', host, origins: port === null ? null : targets(`${host}:${port}`).map(originOf) };
}

/** A cache group of an origin, which may lack its scheme. @throws WillisError bad-request */
export function purgeGroup(origin: string, group: string): PurgeSelector {
  const uris = targets(origin);
  if (uris.some(({ path }) => path !== '/')) throw refused(`an origin was expected, without a path: '${origin}'`);
  return { kind: 'group', origins: uris.map(originOf), group };
}

/** An absolute http or https URI, or the two that are meant where the scheme is missing. */
function targets(text: string): TargetUri[] {
  if (/^https?:\/\//i.test(text)) return [target(text)];
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) throw refused(`only http and https URIs are stored: '${text}'`);
  const rest = text.replace(/^\/\//, '');
  return [target(`http://${rest}`), target(`https://${rest}`)];
}

function target(uri: string): TargetUri {
  try {
    const parsed = parseRequestTarget(uri, { method: 'GET', host: undefined, secure: false, ownAuthority: '' });
    if ('target' in parsed) return parsed.target;
  } catch (error) {
    throw error instanceof WillisError ? refused(`'${uri}': ${error.message}`) : error;
  }
  throw refused(`'${uri}' is not an absolute URI`);
}

const refused = (reason: string): WillisError => new WillisError('bad-request', reason);
